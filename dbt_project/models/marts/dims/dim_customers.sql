{{ golden_records('customer', [
    'name',
    'vat_id',
    'country',
    'region',
    'billing_currency',
    'payment_terms',
    'bill_to_address',
    'credit_limit_amount',
    'is_active',
    'is_on_billing_hold',
    'is_self_billed',
    'requires_po',
    'requires_signature',
    'requires_photo',
    'allows_partial'
]) }}
