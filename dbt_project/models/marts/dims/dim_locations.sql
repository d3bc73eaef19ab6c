{{ golden_records('location', [
    'name',
    'kind',
    'time_zone',
    'region',
    'gln',
    'un_code',
    'latitude',
    'longitude'
]) }}
