{% set accurate_s = 1800 %}
-- A failed stop still arrives.
with arrivals as (
    select * from {{ ref('fct_stops') }}
    where arrived_at is not null and is_delivery
),

horizons as (
    {%- for hours in [24, 12, 4, 2, 1] %}
    select {{ hours }} as horizon_h {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- What was issued later than the horizon allows, and so all that came after the arrival, tells nobody in time.
told as (
    select
        arrivals.stop_key, horizons.horizon_h, etas.eta_key, etas.eta_id, etas.eta_connection, etas.issuer,
        etas.issued_at, etas.eta_at,
        row_number() over (
            partition by arrivals.stop_key, horizons.horizon_h
            order by etas.issued_at desc, etas.source_version desc, etas.eta_key
        ) as newest_first
    from arrivals
    inner join {{ ref('int_eta_stops') }} as etas on arrivals.stop_key = etas.stop_key
    inner join horizons
        on {{ epoch_s('arrivals.arrived_at') }} - {{ epoch_s('etas.issued_at') }} >= horizons.horizon_h * 3600
),

joined as (
    select
        arrivals.*, horizons.horizon_h, told.eta_key, told.eta_id, told.eta_connection, told.issuer,
        told.issued_at, told.eta_at,
        {{ epoch_s('arrivals.arrived_at') }} - {{ epoch_s('told.eta_at') }} as error_s
    from arrivals
    cross join horizons
    left join told
        on arrivals.stop_key = told.stop_key and horizons.horizon_h = told.horizon_h and told.newest_first = 1
)

select
    {{ surrogate_uuid('stop_key', 'cast(horizon_h as string)') }} as arrival_eta_key,
    stop_key, stop_id, source_system, trip_id, vehicle_id, depot_id, company_id, customer_id, carrier_id, region,
    time_zone, time_quality, cast(horizon_h as integer) as horizon_h, arrived_at,
    failed_count > 0 as is_failed_stop,
    eta_key, eta_id, eta_connection, issuer, issued_at, eta_at,
    {{ epoch_s('arrived_at') }} - {{ epoch_s('issued_at') }} as lead_s,
    error_s,
    abs(error_s) <= {{ accurate_s }} as is_accurate
from joined
