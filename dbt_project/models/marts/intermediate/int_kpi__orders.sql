with shipments as (
    select * from {{ ref('fct_shipments') }}
    where order_id is not null and not is_redelivered
),

-- One row per order: due when its last promise has passed, met when every shipment of it is.
orders as (
    select
        order_id,
        min(order_no) as order_no,
        max(promise_ends_at) as promise_ends_at,
        min(as_of) as as_of,
        min(destination_zone) as destination_zone,
        sum(case when is_cancelled_before_dispatch then 0 else 1 end) > 0 as is_alive,
        min(case when is_cancelled_before_dispatch or coalesce(is_otif, false) then 1 else 0 end) = 1 as is_otif,
        min(company_id) as company_id,
        min(customer_id) as customer_id,
        min(depot_id) as depot_id,
        min(region) as region,
        min(carrier_id) as carrier_id,
        cast(null as varchar) as made_by
    from shipments
    group by order_id
)

{{ rate_facts('otif_rate', 'order', 'is_alive and promise_ends_at <= as_of',
    "case when is_alive then 'not due yet' else 'cancelled before dispatch' end",
    'true', 'null', 'is_otif', "'a shipment of it is late, short or missing'", 'promise_ends_at',
    'destination_zone', entity='order') }}
from orders
