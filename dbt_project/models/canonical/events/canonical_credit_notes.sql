with invoices as (
    select * from {{ ref('canonical_invoices') }}
)

select
    notes.invoice_key as credit_note_key,
    notes.invoice_id as credit_note_id,
    credited.invoice_key as credited_invoice_key,
    notes.credited_invoice_id,
    notes.company_id,
    notes.customer_id,
    notes.order_no,
    notes.shipment_no,
    notes.currency,
    notes.status,
    notes.net_total_amount,
    notes.tax_total_amount,
    notes.grand_total_amount,
    notes.issue_date,
    notes.created_at,
    notes.posted_at,
    notes.source_system,
    notes.source_id,
    notes.source_version,
    notes.ingested_at,
    notes.run_id,
    notes.contract_version
from invoices as notes
left join invoices as credited
    on notes.source_system = credited.source_system and notes.credited_invoice_id = credited.invoice_id
where notes.is_credit_note
