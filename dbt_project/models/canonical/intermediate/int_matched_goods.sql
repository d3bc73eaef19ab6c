with goods as (
    select moved.*, heads.order_id
    from {{ ref('int_moved_goods') }} as moved
    inner join {{ ref('int_shipment_heads') }} as heads on moved.shipment_id = heads.shipment_id
),

order_lines as (
    select
        *,
        row_number() over (partition by order_id, item_id order by line_no, order_line_id) as nth_of_item
    from {{ ref('canonical_order_lines') }}
    where not is_return
),

-- The line that is named, when it sells this item; else the order's first line that does.
matched as (
    select
        goods.*,
        coalesce(named.order_line_id, alike.order_line_id) as matched_line_id,
        coalesce(named.uom, alike.uom) as order_uom,
        coalesce(named.source_system, alike.source_system) as erp
    from goods
    left join order_lines as named
        on goods.order_id = named.order_id
        and goods.order_line_id = named.order_line_id
        and goods.item_id = named.item_id
    left join order_lines as alike
        on goods.order_id = alike.order_id and goods.item_id = alike.item_id and alike.nth_of_item = 1
),

factors as (
    select * from {{ ref('int_item_factors') }}
)

select
    matched.shipment_id,
    matched.order_id,
    matched.matched_line_id as order_line_id,
    matched.side,
    matched.item_id,
    matched.uom,
    case
        when matched.order_id is null or matched.uom = matched.order_uom then matched.quantity
        -- What cannot be converted keeps its figure; it is counted below, and never billed.
        else coalesce(
            {{ convert_quantity('matched.quantity', 'moved.factor', 'ordered.factor') }}, matched.quantity
        )
    end as quantity,
    matched.order_id is not null and matched.matched_line_id is null as is_foreign,
    matched.uom <> matched.order_uom and (moved.factor is null or ordered.factor is null) as is_unconvertible
from matched
left join factors as moved
    on matched.erp = moved.source_system and matched.item_id = moved.item_id and matched.uom = moved.uom
left join factors as ordered
    on matched.erp = ordered.source_system and matched.item_id = ordered.item_id
    and matched.order_uom = ordered.uom
