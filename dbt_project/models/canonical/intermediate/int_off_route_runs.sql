with measured as (
    select
        steps.source_system, steps.device_id, steps.local_day, steps.trip_key, steps.positioned_at,
        steps.from_at, steps.next_at,
        min(legs.allowed_km) as allowed_km,
        min({{ distance_to_leg_km('steps.latitude', 'steps.longitude') }}) as distance_km
    from {{ ref('int_trip_steps') }} as steps
    inner join {{ ref('int_route_legs') }} as legs on steps.trip_key = legs.trip_key
    group by
        steps.source_system, steps.device_id, steps.local_day, steps.trip_key, steps.positioned_at,
        steps.from_at, steps.next_at
),

aside as (
    select
        *,
        lag(positioned_at) over (
            partition by source_system, device_id, trip_key, local_day order by positioned_at
        ) as last_aside_at
    from measured
    where distance_km > allowed_km
),

numbered as (
    select
        *,
        sum(case when last_aside_at = from_at and {{ heard_between('from_at', 'positioned_at') }} then 0 else 1 end)
            over (
                partition by source_system, device_id, trip_key, local_day order by positioned_at
                rows unbounded preceding
            ) as run_nr
    from aside
)

select
    source_system, device_id, local_day, trip_key,
    min(positioned_at) as first_at, max(positioned_at) as last_at,
    max(distance_km) as farthest_km, max(allowed_km) as allowed_km, count(*) as fix_count,
    {{ before_run('from_at', 'positioned_at') }} as before_at,
    {{ after_run('next_at', 'positioned_at') }} as after_at
from numbered
group by source_system, device_id, local_day, trip_key, run_nr
