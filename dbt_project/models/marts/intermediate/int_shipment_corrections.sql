-- Who was billed wrongly at first, whether or not the right invoice followed.
select bills.shipment_id, count(*) as corrected_invoice_count
from {{ ref('int_invoice_shipments') }} as bills
inner join {{ ref('fct_invoices') }} as invoices on bills.invoice_key = invoices.invoice_key
where
    not invoices.is_credit_note and invoices.posted_at is not null
    and (invoices.status = 'cancelled' or invoices.first_credited_at is not null)
group by bills.shipment_id
