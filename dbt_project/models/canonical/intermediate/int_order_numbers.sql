-- A shipment names its order by its number alone: it can be matched only where one ERP has that number.
select
    order_no,
    min(order_id) as order_id
from {{ ref('canonical_orders') }}
group by order_no
having count(*) = 1
