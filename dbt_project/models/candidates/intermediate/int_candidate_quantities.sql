with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

goods as (
    select * from {{ ref('int_shipment_goods') }}
),

over_ordered as (
    select shipment_id, sum(case when is_over_ordered then 1 else 0 end) as line_count
    from {{ ref('int_ordered_quantities') }}
    group by shipment_id
),

-- Without a live proof nothing is known to be short or too much.
counted as (
    select
        candidates.shipment_id,
        cast(sum(goods.accepted_quantity) as decimal(18, 4)) as delivered_quantity,
        sum(goods.foreign_count) as foreign_item_count,
        sum(goods.unconvertible_count) as unconvertible_uom_count,
        sum(
            case when goods.order_line_id is not null and goods.accepted_quantity > goods.loaded_quantity then 1 else 0 end
        )
        as over_delivered_line_count,
        sum(
            case when goods.order_line_id is not null and goods.accepted_quantity < goods.loaded_quantity then 1 else 0 end
        ) as short_line_count
    from candidates
    inner join goods
        on candidates.shipment_id = goods.shipment_id
        and (goods.order_line_id is not null or goods.foreign_count > 0)
    where candidates.live_pod_count > 0
    group by candidates.shipment_id
)

select
    candidates.shipment_id,
    coalesce(counted.delivered_quantity, 0) as delivered_quantity,
    coalesce(counted.foreign_item_count, 0) as foreign_item_count,
    coalesce(counted.unconvertible_uom_count, 0) as unconvertible_uom_count,
    coalesce(counted.over_delivered_line_count, 0) as over_delivered_line_count,
    coalesce(counted.short_line_count, 0) as short_line_count,
    coalesce(over_ordered.line_count, 0) as over_ordered_line_count
from candidates
left join counted on candidates.shipment_id = counted.shipment_id
left join over_ordered on candidates.shipment_id = over_ordered.shipment_id
