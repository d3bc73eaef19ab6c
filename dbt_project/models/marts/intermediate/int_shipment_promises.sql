with shipments as (
    select *, coalesce(time_zone, depot_time_zone, 'UTC') as local_zone
    from {{ ref('canonical_shipments') }}
),

-- A date promise holds to the end of that day where the goods are delivered.
ends as (
    select
        shipment_id,
        delivered_at,
        promised_from_at,
        promise_precision = 'date' as is_date_promise,
        {%- for kind, column in [
            ('first_confirmed', 'promised_at'), ('last_confirmed', 'last_promised_at'), ('requested', 'requested_at'),
        ] %}
        case
            when promise_precision = 'date' then {{ end_of_local_day(column, 'local_zone') }}
            else {{ column }}
        end as {{ kind }}_end{{ ',' if not loop.last }}
        {%- endfor %}
    from shipments
)

select
    shipment_id,
    first_confirmed_end as promise_ends_at,
    {%- for kind in ['first_confirmed', 'last_confirmed', 'requested'] %}
    case
        when delivered_at is null or {{ kind }}_end is null then null
        when promised_from_at is not null and delivered_at < promised_from_at then false
        when is_date_promise then delivered_at < {{ kind }}_end
        else delivered_at <= {{ kind }}_end
    end as is_on_time_{{ kind }},
    {%- endfor %}
    delivered_at < promised_from_at as is_early
from ends
