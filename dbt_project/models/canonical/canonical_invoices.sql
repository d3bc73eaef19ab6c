with invoices as (
    select * from {{ ref('stg_erp__invoices') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as invoice_key,
    invoice_id,
    company_id,
    customer_id,
    order_id as order_no,
    shipment_id as shipment_no,
    po_no,
    currency,
    status,
    is_credit_note,
    credited_invoice_id,
    idempotency_key,
    idempotency_key is not null as is_waybill,
    net_total_amount,
    tax_total_amount,
    grand_total_amount,
    payment_terms,
    issue_date,
    due_date,
    created_at,
    posted_at,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from invoices
