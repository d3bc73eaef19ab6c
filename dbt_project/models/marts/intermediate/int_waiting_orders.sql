with orders as (
    select orders.*, places.local_zone
    from {{ ref('canonical_orders') }} as orders
    inner join {{ ref('int_order_places') }} as places on orders.order_id = places.order_id
),

shipped as (
    select distinct order_id from {{ ref('fct_shipments') }}
    where order_id is not null
),

promised as (
    select
        orders.*,
        case when requested_delivery_date is not null then 'date' end as request_precision,
        {%- for name in ['first', 'last'] %}
        case when promise_precision = 'date' then {{ end_of_local_day(name ~ '_promised_at', 'local_zone') }}
            else {{ name }}_promised_at end as {{ name }}_promise_ends_at,
        {%- endfor %}
        coalesce({{ end_of_day('requested_delivery_date', 'local_zone') }}, requested_delivery_at) as request_ends_at
    from orders
    left join shipped on orders.order_id = shipped.order_id
    where shipped.order_id is null
)

-- Nobody has put these on a lorry yet; what was promised of them is missed like any other promise.
select
    order_id, order_no, source_system, local_zone, company_id, customer_id, depot_id,
    cast(null as string) as region, cast(null as string) as carrier_id, cast(null as string) as made_by,
    {{ as_of() }} as as_of,
    status not in ('draft', 'cancelled') and cancelled_at is null as is_alive,
    first_promise_ends_at, {{ promise_last_at('first_promise_ends_at') }} as first_promise_last_at,
    last_promise_ends_at, {{ promise_last_at('last_promise_ends_at') }} as last_promise_last_at,
    request_ends_at, {{ promise_last_at('request_ends_at', 'request_precision') }} as request_last_at
from promised
