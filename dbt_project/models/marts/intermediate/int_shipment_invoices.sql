with billing as (
    select bills.shipment_id, invoices.*
    from {{ ref('int_invoice_shipments') }} as bills
    inner join {{ ref('fct_invoices') }} as invoices
        on bills.invoice_key = invoices.invoice_key and invoices.is_surviving
),

ranked as (
    select *, row_number() over (partition by shipment_id order by posted_at nulls last, invoice_id) as position
    from billing
),

counted as (
    select
        shipment_id,
        count(*) as invoice_count,
        max(case when position = 1 then invoice_id end) as first_invoice_id,
        max(case when position = 1 then made_by end) as made_by,
        min(posted_at) as first_invoice_posted_at,
        cast(sum(net_total_amount) as decimal(18, 4)) as invoiced_net_amount
    from ranked
    group by shipment_id
)

select counted.*, fully.fully_invoiced_at
from counted
left join {{ ref('int_shipment_fully_invoiced') }} as fully on counted.shipment_id = fully.shipment_id
