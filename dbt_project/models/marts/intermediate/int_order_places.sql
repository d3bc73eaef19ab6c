with orders as (
    select * from {{ ref('canonical_orders') }}
),

depots as (
    select location_id as depot_id, min(time_zone) as time_zone
    from {{ ref('canonical_locations') }}
    where kind = 'depot'
    group by location_id
),

placed as (
    select
        orders.order_id, orders.promise_precision, orders.first_promised_at,
        coalesce(depots.time_zone, orders.time_zone, 'UTC') as depot_zone,
        coalesce(orders.time_zone, depots.time_zone, 'UTC') as local_zone
    from orders
    left join depots on orders.depot_id = depots.depot_id
)

select
    order_id, depot_zone, local_zone,
    case
        when promise_precision = 'date' then {{ end_of_local_day('first_promised_at', 'local_zone') }}
        else first_promised_at
    end as promise_ends_at
from placed
