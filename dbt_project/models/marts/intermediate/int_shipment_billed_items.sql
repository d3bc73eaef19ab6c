with billing as (
    select bills.shipment_id, bills.is_named, invoices.invoice_key, invoices.made_by, invoices.posted_at
    from {{ ref('int_invoice_shipments') }} as bills
    inner join {{ ref('fct_invoices') }} as invoices
        on bills.invoice_key = invoices.invoice_key and invoices.is_surviving
),

accepted as (
    select * from {{ ref('int_shipment_items') }}
),

items as (
    select * from {{ ref('int_invoice_items') }}
)

select
    accepted.shipment_id, accepted.item_id, accepted.odd_uom, billing.invoice_key, billing.is_named,
    billing.posted_at, items.quantity
from billing
inner join accepted on billing.shipment_id = accepted.shipment_id
inner join items
    on billing.invoice_key = items.invoice_key
    and accepted.item_id = items.item_id
    and accepted.odd_uom = items.odd_uom

union all

-- Waybill bills all that was accepted; the ERP has not listed the lines of its newest invoices yet.
select
    accepted.shipment_id, accepted.item_id, accepted.odd_uom, billing.invoice_key, billing.is_named,
    billing.posted_at, accepted.quantity
from billing
inner join accepted on billing.shipment_id = accepted.shipment_id
where billing.made_by = 'waybill' and billing.is_named
    and billing.invoice_key not in (select invoice_key from items)
