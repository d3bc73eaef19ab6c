with invoices as (
    select * from {{ ref('canonical_invoices') }}
    where status <> 'cancelled'
),

credits as (
    select
        source_system,
        credited_invoice_id,
        sum(abs(net_total_amount)) as net_amount,
        sum(abs(grand_total_amount)) as grand_amount
    from invoices
    where is_credit_note and credited_invoice_id is not null
    group by source_system, credited_invoice_id
)

-- Invoices that people made, drafts too, as far as they are not credited in full.
select
    invoices.invoice_key, invoices.invoice_id, invoices.source_system,
    invoices.order_no, invoices.shipment_no, invoices.customer_id, invoices.po_no, invoices.currency,
    invoices.issue_date, invoices.grand_total_amount,
    cast(invoices.net_total_amount - coalesce(credits.net_amount, 0) as decimal(18, 4)) as net_amount
from invoices
left join credits
    on invoices.source_system = credits.source_system and invoices.invoice_id = credits.credited_invoice_id
where
    not invoices.is_waybill
    and not invoices.is_credit_note
    and invoices.grand_total_amount > coalesce(credits.grand_amount, 0)
