with goods as (
    select * from {{ ref('int_shipment_goods') }}
    where accepted_quantity > 0
),

order_lines as (
    select * from {{ ref('canonical_order_lines') }}
),

shipments as (
    select * from {{ ref('canonical_shipments') }}
),

factors as (
    select * from {{ ref('int_item_factors') }}
)

-- Accepted goods that the order asked for; nobody bills the others.
select
    goods.shipment_id,
    shipments.shipment_no,
    shipments.pod_received_at,
    goods.order_id,
    order_lines.item_id,
    case when factors.factor is null then order_lines.uom else '' end as odd_uom,
    sum(goods.accepted_quantity * coalesce(factors.factor, 1)) as quantity
from goods
inner join shipments on goods.shipment_id = shipments.shipment_id
inner join order_lines
    on goods.order_id = order_lines.order_id and goods.order_line_id = order_lines.order_line_id
left join factors
    on order_lines.source_system = factors.source_system
    and order_lines.item_id = factors.item_id
    and order_lines.uom = factors.uom
where shipments.accepted_quantity is not null
group by
    goods.shipment_id, shipments.shipment_no, shipments.pod_received_at, goods.order_id, order_lines.item_id,
    case when factors.factor is null then order_lines.uom else '' end
