with invoices as (
    select * from {{ ref('fct_invoices') }}
    where is_surviving
),

shipments as (
    select shipment_id, shipment_no, order_no, order_connection from {{ ref('canonical_shipments') }}
),

-- An invoice that names only the order bills each of its shipments. Numbers mean something in their own ERP only;
-- a shipment whose order nobody knows may be billed by any.
billing as (
    select shipments.shipment_id, invoices.*
    from shipments
    inner join invoices
        on shipments.shipment_no = invoices.shipment_no
        and coalesce(shipments.order_connection, invoices.erp_connection) = invoices.erp_connection
    union all
    select shipments.shipment_id, invoices.*
    from shipments
    inner join invoices
        on shipments.order_no = invoices.order_no and invoices.shipment_no is null
        and coalesce(shipments.order_connection, invoices.erp_connection) = invoices.erp_connection
),

ranked as (
    select *, row_number() over (partition by shipment_id order by posted_at, invoice_id) as position
    from billing
)

select
    shipment_id,
    count(*) as invoice_count,
    max(case when position = 1 then invoice_id end) as first_invoice_id,
    max(case when position = 1 then made_by end) as made_by,
    min(posted_at) as first_invoice_posted_at,
    max(posted_at) as fully_invoiced_at,
    cast(sum(net_total_amount) as decimal(18, 4)) as invoiced_net_amount
from ranked
group by shipment_id
