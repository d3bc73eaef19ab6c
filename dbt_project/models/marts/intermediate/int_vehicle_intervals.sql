-- A longer silence is unknown, not idle.
with known as (
    select
        steps.source_system, steps.device_id, steps.from_at, steps.positioned_at, steps.from_day, steps.local_day,
        steps.seconds, steps.distance_km,
        coalesce(zones.time_zone, 'UTC') as time_zone,
        coalesce(steps.was_ignition, steps.distance_km > {{ var('moved_km') }}) as is_working
    from {{ ref('int_vehicle_steps') }} as steps
    left join {{ ref('int_device_zones') }} as zones on steps.device_id = zones.device_id
    where steps.seconds <= {{ var('longest_gap_s') }}
    {%- if builds_on() %}
        and (steps.source_system, steps.device_id, steps.local_day) in (
            select source_system, device_id, local_day from {{ changes_table('touched_days') }} where distance <= 3
        )
    {%- endif %}
),

-- What spans midnight is split there; the way belongs to the day on which it ended.
parts as (
    select
        source_system, device_id, time_zone, is_working, distance_km, local_day,
        case
            when from_day = local_day then seconds
            else {{ epoch_s('positioned_at') }} - {{ epoch_s(start_of_local_day('positioned_at', 'time_zone')) }}
        end as seconds
    from known
    union all
    select
        source_system, device_id, time_zone, is_working, 0 as distance_km, from_day as local_day,
        {{ epoch_s(start_of_local_day('positioned_at', 'time_zone')) }} - {{ epoch_s('from_at') }} as seconds
    from known
    where from_day < local_day
)

select source_system, device_id, time_zone, local_day, is_working, seconds, distance_km
from parts
