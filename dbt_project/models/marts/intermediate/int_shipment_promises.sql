with shipments as (
    select *, coalesce(time_zone, depot_time_zone, 'UTC') as local_zone
    from {{ ref('canonical_shipments') }}
),

again as (
    select distinct source_system, parent_shipment_no
    from shipments
    where relation = 'redelivery'
),

order_zones as (
    select order_id, time_zone as order_zone from {{ ref('canonical_orders') }}
),

-- A date promise is written as the midnight at its start in the order's own zone, and holds to the end of that
-- day where the goods are delivered.
ends as (
    select
        shipments.shipment_id, shipments.delivered_at,
        shipments.promised_from_at as first_confirmed_start,
        -- A promise that was moved has left its window behind.
        case when shipments.last_promised_at = shipments.promised_at then shipments.promised_from_at end
            as last_confirmed_start,
        shipments.promise_precision = 'date' as is_date_promise,
        shipments.requested_date is not null as is_date_request,
        again.parent_shipment_no is not null as is_redelivered,
        {%- for kind, column in [('first_confirmed', 'promised_at'), ('last_confirmed', 'last_promised_at')] %}
        case
            when promise_precision = 'date' then {{ end_of_day(local_date(column, 'coalesce(order_zone, local_zone)'), 'local_zone') }}
            else {{ column }}
        end as {{ kind }}_end,
        {%- endfor %}
        coalesce({{ end_of_day('requested_date', 'local_zone') }}, requested_at) as requested_end
    from shipments
    left join again
        on shipments.source_system = again.source_system and shipments.shipment_no = again.parent_shipment_no
    left join order_zones on shipments.order_id = order_zones.order_id
)

select
    shipment_id,
    is_redelivered,
    first_confirmed_end as promise_ends_at,
    last_confirmed_end as last_promise_ends_at,
    requested_end as request_ends_at,
    case when is_date_request then 'date' end as request_precision,
    {%- for kind in ['first_confirmed', 'last_confirmed'] %}
    case
        when delivered_at is null or {{ kind }}_end is null then null
        when delivered_at < {{ kind }}_start then false
        when is_date_promise then delivered_at < {{ kind }}_end
        else delivered_at <= {{ kind }}_end
    end as is_on_time_{{ kind }},
    {%- endfor %}
    -- The window is the confirmed promise's: who delivers before it is not late for what was asked.
    case when is_date_request then delivered_at < requested_end else delivered_at <= requested_end end
        as is_on_time_requested,
    delivered_at < first_confirmed_start as is_early
from ends
