{{ golden_records('carrier', [
    'name',
    'is_active'
]) }}
