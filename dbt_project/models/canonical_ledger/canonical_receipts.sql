{{ waits_for('touched_by_push') }}
with receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
)

select
    {{ surrogate_uuid("'waybill'", 'idempotency_key') }} as receipt_key,
    idempotency_key,
    {{ surrogate_uuid('destination', 'erp_id') }} as invoice_key,
    destination,
    erp_id,
    business_id as shipment_id,
    shipment_no,
    order_no,
    company as company_id,
    customer_id,
    revision,
    currency,
    net_total_amount,
    tax_total_amount,
    grand_total_amount,
    issue_date,
    posted_at,
    read_back_at,
    {{ own_envelope('idempotency_key', 'read_back_at') }}
from receipts
