with invoices as (
    select invoice_key, erp_connection, order_no, shipment_no from {{ ref('fct_invoices') }}
    where not is_credit_note
),

shipments as (
    select shipment_id, shipment_no, order_no, order_connection from {{ ref('canonical_shipments') }}
),

-- Numbers mean something in their own ERP only; a shipment whose order nobody knows may be billed by any.
named as (
    select
        invoices.invoice_key,
        shipments.shipment_id,
        count(*) over (partition by invoices.invoice_key) as match_count,
        coalesce(shipments.order_no = invoices.order_no, false) as is_its_order,
        sum(case when shipments.order_no = invoices.order_no then 1 else 0 end)
            over (partition by invoices.invoice_key) as order_match_count
    from invoices
    inner join shipments
        on invoices.shipment_no = shipments.shipment_no
        and invoices.erp_connection = coalesce(shipments.order_connection, invoices.erp_connection)
)

-- Two dispatch systems may give one number twice: then the invoice bills the one whose order it names, else none.
select invoice_key, shipment_id, true as is_named
from named
where match_count = 1 or (is_its_order and order_match_count = 1)

union all

-- An invoice that names only the order bills each of its shipments.
select invoices.invoice_key, shipments.shipment_id, false as is_named
from invoices
inner join shipments
    on invoices.order_no = shipments.order_no
    and invoices.erp_connection = coalesce(shipments.order_connection, invoices.erp_connection)
where invoices.shipment_no is null
