{{ golden_records('driver', [
    'depot_id',
    'is_active'
]) }}
