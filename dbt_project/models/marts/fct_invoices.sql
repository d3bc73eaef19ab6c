with by_hand as (
    select * from {{ ref('canonical_invoices') }}
    where not is_waybill
),

receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
),

-- Waybill's own come from its receipts alone: the ERP lists them too, and each is to be here once.
united as (
    select
        invoice_key, invoice_id, source_system as erp_connection, 'hand' as made_by, company_id, customer_id,
        order_no, shipment_no, po_no, currency, status, is_credit_note, credited_invoice_id,
        net_total_amount, tax_total_amount, grand_total_amount, issue_date, created_at, posted_at
    from by_hand
    union all
    select
        {{ surrogate_uuid('destination', 'erp_id') }}, erp_id, destination, 'waybill', company, customer_id,
        order_no, shipment_no, null, currency, 'posted', false, null,
        net_total_amount, tax_total_amount, grand_total_amount, issue_date, posted_at, posted_at
    from receipts
),

credits as (
    select
        erp_connection,
        credited_invoice_id,
        sum(abs(grand_total_amount)) as credited_amount,
        min(posted_at) as first_credited_at
    from united
    where is_credit_note and status = 'posted' and credited_invoice_id is not null
    group by erp_connection, credited_invoice_id
)

select
    united.*,
    cast(coalesce(credits.credited_amount, 0) as decimal(18, 4)) as credited_amount,
    credits.first_credited_at,
    united.status = 'posted'
    and not united.is_credit_note
    and united.grand_total_amount > coalesce(credits.credited_amount, 0) as is_surviving
from united
left join credits
    on united.erp_connection = credits.erp_connection and united.invoice_id = credits.credited_invoice_id
