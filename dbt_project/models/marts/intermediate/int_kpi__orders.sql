{% set measured = 'is_alive and (promise_ends_at <= as_of or promise_ends_at is null)' %}
{% set not_measured = "case when is_alive then 'not due yet' else 'cancelled before dispatch' end" %}
{% set dispatched, not_dispatched = 'is_alive', "'cancelled before dispatch'" %}
with known as (
    select shipments.*, coalesce(fullness.is_order_in_full, true) as is_order_in_full
    from {{ ref('fct_shipments') }} as shipments
    left join {{ ref('int_order_fullness') }} as fullness on shipments.order_id = fullness.order_id
    where shipments.order_no is not null
),

shipments as (
    select
        *,
        coalesce(order_id, source_system || '|' || order_no) as known_order_id,
        {{ promise_last_at() }} as promise_last_at,
        {{ order_promise_last_at() }} as order_promise_last_at,
        coalesce(relation, '') = 'redelivery' as is_redelivery,
        coalesce(relation, '') <> 'redelivery' and not is_cancelled_before_dispatch as is_to_leave
    from known
),

-- An order is due when its last promise has passed, and met when every shipment of it is and all of it has come.
shipped as (
    select
        known_order_id as order_id,
        min(order_no) as order_no,
        max(promise_ends_at) as promise_ends_at,
        max(promise_last_at) as promise_last_at,
        min(confirmed_at) as confirmed_at,
        min(case when is_to_leave then released_at end) as released_at,
        min(case when is_to_leave then departed_at end) as first_departed_at,
        case
            when sum(case when is_to_leave and departed_at is null then 1 else 0 end) = 0
                then max(case when is_to_leave then departed_at end)
        end as last_departed_at,
        min(as_of) as as_of,
        min(origin_zone) as origin_zone,
        {{ zone_of_last_promise() }} as destination_zone,
        max(case when time_quality in ('gap', 'ambiguous') then 'gap' else 'exact' end) as time_quality,
        sum(case when is_cancelled_before_dispatch then 0 else 1 end) > 0 as is_alive,
        min(case
            when is_order_in_full and (is_cancelled_before_dispatch or is_redelivered or coalesce(is_otif, false)) then 1 else 0
        end) = 1 as is_otif,
        min(source_system) as source_system, min(company_id) as company_id, min(customer_id) as customer_id, min(depot_id) as depot_id,
        min(region) as region, min(carrier_id) as carrier_id, cast(null as string) as made_by
    from shipments
    group by known_order_id
),

-- Nobody has put these on a lorry yet: they wait, and are missed like any other.
waiting as (
    select orders.*, places.depot_zone, places.local_zone, places.promise_ends_at
    from {{ ref('canonical_orders') }} as orders
    inner join {{ ref('int_order_places') }} as places on orders.order_id = places.order_id
    where orders.order_id not in (select order_id from shipped)
),

orders as (
    select * from shipped
    union all
    select
        order_id, order_no,
        promise_ends_at, {{ promise_last_at() }} as promise_last_at, confirmed_at, null as released_at, null as first_departed_at, null as last_departed_at, {{ as_of() }} as as_of,
        depot_zone as origin_zone, local_zone as destination_zone, time_quality,
        status not in ('draft', 'cancelled') and cancelled_at is null as is_alive, false as is_otif,
        source_system, company_id, customer_id, depot_id, null as region, null as carrier_id, null as made_by
    from waiting
)

{{ rate_facts('otif_rate', 'order', measured, not_measured, 'promise_ends_at is not null', "'no promise is known'",
    'is_otif', "'a shipment of it is late, short or missing'", 'promise_last_at', 'destination_zone', entity='order') }}
from orders
{% for metric, started in [('order_to_dispatch_s', 'confirmed_at'), ('release_to_dispatch_s', 'released_at')] -%}
{% for end in ['first', 'last'] -%}
union all
{{ duration_facts(metric, started, end ~ '_departed_at', 'origin_zone', dispatched, not_dispatched,
    'order_' ~ end, entity='order') }}
from orders
{% endfor -%}
{% endfor -%}
