{{ golden_records('company', [
    'name',
    'currency',
    'time_zone',
    'country',
    'vat_id',
    'books_closed_until'
]) }}
