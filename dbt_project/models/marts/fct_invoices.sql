with listed as (
    select * from {{ ref('canonical_invoices') }}
),

receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
),

-- The receipt of a credit note is below nothing, and that of its invoice stands beside it.
credit_receipts as (
    select notes.destination, notes.erp_id, invoices.erp_id as credited_erp_id
    from receipts as notes
    inner join receipts as invoices using (destination, business_id, revision, company)
    where notes.grand_total_amount < 0 and invoices.grand_total_amount >= 0
),

-- What the ERP lists is how an invoice stands; a receipt speaks for one that it has not listed yet.
united as (
    select
        listed.invoice_key, listed.invoice_id, listed.source_system as erp_connection,
        case when listed.is_waybill then 'waybill' else 'hand' end as made_by,
        listed.company_id, listed.customer_id, listed.order_no, listed.shipment_no, listed.po_no, listed.currency,
        listed.status, listed.is_credit_note, listed.credited_invoice_id,
        listed.net_total_amount, listed.tax_total_amount, listed.grand_total_amount,
        listed.issue_date, listed.created_at, coalesce(receipts.posted_at, listed.posted_at) as posted_at
    from listed
    left join receipts on listed.source_system = receipts.destination and listed.invoice_id = receipts.erp_id
    union all
    select
        {{ surrogate_uuid('receipts.destination', 'receipts.erp_id') }}, receipts.erp_id, receipts.destination,
        'waybill', receipts.company, receipts.customer_id, receipts.order_no, receipts.shipment_no, null,
        receipts.currency, 'posted', receipts.grand_total_amount < 0, credit_receipts.credited_erp_id,
        receipts.net_total_amount, receipts.tax_total_amount, receipts.grand_total_amount,
        receipts.issue_date, receipts.posted_at, receipts.posted_at
    from receipts
    left join credit_receipts on receipts.destination = credit_receipts.destination and receipts.erp_id = credit_receipts.erp_id
    left join listed on receipts.destination = listed.source_system and receipts.erp_id = listed.invoice_id
    where listed.invoice_id is null
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
    -- what was free of charge stands until somebody credits it
    and case when credits.credited_amount is null then united.grand_total_amount >= 0
        else united.grand_total_amount > credits.credited_amount end as is_surviving
from united
left join credits
    on united.erp_connection = credits.erp_connection and united.invoice_id = credits.credited_invoice_id
