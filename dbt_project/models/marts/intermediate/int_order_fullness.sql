with accepted as (
    select order_id, order_line_id, sum(accepted_quantity) as quantity
    from {{ ref('int_shipment_goods') }}
    where order_line_id is not null
    group by order_id, order_line_id
),

order_lines as (
    select * from {{ ref('canonical_order_lines') }}
    where not is_return
)

-- Each shipment may bring all of its part while a part of the order is on none.
select
    order_lines.order_id,
    min(case when coalesce(accepted.quantity, 0) >= order_lines.quantity then 1 else 0 end) = 1 as is_order_in_full
from order_lines
left join accepted
    on order_lines.order_id = accepted.order_id and order_lines.order_line_id = accepted.order_line_id
group by order_lines.order_id
