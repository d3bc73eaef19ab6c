with heads as (
    select * from {{ ref('int_shipment_heads') }}
),

parts as (
    select
        order_id,
        sum(case when relation = 'redelivery' or status = 'cancelled' then 0 else 1 end) as part_count
    from heads
    where order_id is not null
    group by order_id
),

ordered as (
    select order_id, cast(sum(quantity) as decimal(18, 4)) as quantity
    from {{ ref('canonical_order_lines') }}
    where not is_return
    group by order_id
),

moved as (
    select
        shipment_id,
        cast(sum(loaded_quantity) as decimal(18, 4)) as loaded_quantity,
        cast(sum(accepted_quantity) as decimal(18, 4)) as accepted_quantity
    from {{ ref('int_shipment_goods') }}
    group by shipment_id
)

-- An order on one shipment asks that shipment for everything; of a split order each shipment answers for
-- what was planned onto it. A redelivery asks for what its first attempt asked for.
select
    heads.shipment_id,
    case when parts.part_count > 1 then moved.loaded_quantity else ordered.quantity end as ordered_quantity,
    moved.loaded_quantity,
    moved.accepted_quantity
from heads
left join parts on heads.order_id = parts.order_id
left join ordered on heads.order_id = ordered.order_id
left join moved on heads.shipment_id = moved.shipment_id
