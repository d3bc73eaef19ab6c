{{ golden_records('cost_centre', [
    'company_id',
    'name',
    'is_active'
]) }}
