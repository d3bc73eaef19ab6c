with orders as (
    select *, coalesce(time_zone, 'UTC') as local_zone
    from {{ ref('canonical_orders') }}
),

shipped as (
    select distinct order_id from {{ ref('fct_shipments') }}
    where order_id is not null
)

-- Nobody has put these on a lorry yet; what was promised of them is missed like any other promise.
select
    orders.order_id, orders.order_no, orders.source_system, orders.local_zone, orders.company_id, orders.customer_id,
    orders.depot_id, cast(null as varchar) as region, cast(null as varchar) as carrier_id,
    cast(null as varchar) as made_by, {{ as_of() }} as as_of,
    orders.status not in ('draft', 'cancelled') and orders.cancelled_at is null as is_alive,
    {%- for name in ['first', 'last'] %}
    case when orders.promise_precision = 'date' then {{ end_of_local_day('orders.' ~ name ~ '_promised_at', 'orders.local_zone') }}
        else orders.{{ name }}_promised_at end as {{ name }}_promise_ends_at,
    {%- endfor %}
    coalesce({{ end_of_day('orders.requested_delivery_date', 'orders.local_zone') }}, orders.requested_delivery_at)
        as request_ends_at
from orders
left join shipped on orders.order_id = shipped.order_id
where shipped.order_id is null
