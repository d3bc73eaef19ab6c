with runs as (
    select
        *,
        lag(last_at) over (partition by source_system, device_id, trip_key order by first_at) as last_aside_at
    from {{ ref('int_off_route_runs') }}
),

numbered as (
    select
        *,
        sum(case when before_at = last_aside_at and {{ heard_between('last_aside_at', 'first_at') }} then 0 else 1 end)
            over (
                partition by source_system, device_id, trip_key order by first_at rows unbounded preceding
            ) as deviation_nr
    from runs
),

deviations as (
    select
        source_system, device_id, trip_key,
        min(local_day) as local_day, min(first_at) as started_at, max(last_at) as last_at,
        max(farthest_km) as farthest_km, cast(max(allowed_km) as double) as allowed_km,
        cast(sum(fix_count) as bigint) as fix_count,
        {{ after_run('after_at', 'last_at') }} as after_at
    from numbered
    group by source_system, device_id, trip_key, deviation_nr
    having {{ epoch_s('max(last_at)') }} - {{ epoch_s('min(first_at)') }} >= {{ var('deviation_s') }}
)

select
    {{ surrogate_uuid('deviations.source_system', "deviations.device_id || '|' || cast(cast(" ~ epoch_s('deviations.started_at') ~ " as bigint) as string)") }}
        as route_deviation_key,
    deviations.source_system, deviations.device_id, spans.vehicle_id,
    spans.source_system as trip_connection, spans.trip_id,
    deviations.local_day, deviations.started_at,
    case when {{ heard_between('deviations.last_at', 'deviations.after_at') }} then deviations.after_at end as returned_at,
    deviations.last_at as last_seen_at,
    {{ epoch_s('deviations.last_at') }} - {{ epoch_s('deviations.started_at') }} as seen_s,
    deviations.farthest_km, deviations.allowed_km, deviations.fix_count
from deviations
inner join {{ ref('int_trip_spans') }} as spans on deviations.trip_key = spans.trip_key
