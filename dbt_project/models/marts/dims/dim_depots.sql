{{ golden_records('depot', [
    'name',
    'time_zone',
    'region',
    'gln',
    'un_code',
    'latitude',
    'longitude'
]) }}
