-- Grain: a shipment and a line of its order (none for goods that are not on the order). Order units.
select
    shipment_id,
    order_id,
    order_line_id,
    cast(sum(case when side = 'loaded' then quantity else 0 end) as decimal(18, 4)) as loaded_quantity,
    cast(sum(case when side = 'accepted' then quantity else 0 end) as decimal(18, 4)) as accepted_quantity,
    sum(case when side = 'accepted' and is_foreign then 1 else 0 end) as foreign_count,
    sum(case when coalesce(is_unconvertible, false) then 1 else 0 end) as unconvertible_count
from {{ ref('int_matched_goods') }}
group by shipment_id, order_id, order_line_id
