with goods as (
    select * from {{ ref('canonical_shipment_lines') }}
),

items as (
    select item_id, min(name) as name, min(weight_kg) as weight_kg
    from {{ ref('canonical_items') }}
    group by item_id
    having count(*) = 1
)

-- Where dispatch does not weigh them, the item's own weight says it, if one ERP alone has the item.
select
    goods.shipment_line_key as goods_key,
    goods.shipment_line_id as goods_id,
    goods.shipment_id,
    goods.shipment_no,
    goods.order_no,
    goods.order_line_id,
    goods.item_id,
    items.name as item_name,
    goods.sscc,
    goods.quantity,
    goods.uom,
    coalesce(
        goods.weight_kg, try_cast({{ product('goods.quantity', 'items.weight_kg') }} as decimal(18, 4))
    ) as weight_kg,
    goods.source_system,
    goods.source_id,
    goods.source_version,
    goods.ingested_at,
    goods.run_id,
    goods.contract_version
from goods
left join items
    on goods.item_id = items.item_id
