with days as (
    select
        days.source_system, days.device_id, days.local_day, coalesce(zones.time_zone, 'UTC') as time_zone,
        {{ days_between("cast('2000-01-01' as date)", 'days.local_day') }}
        - row_number() over (partition by days.source_system, days.device_id order by days.local_day) as span_nr
    from {{ ref('touched_days') }} as days
    left join {{ ref('int_device_zones') }} as zones on days.device_id = zones.device_id
    where days.distance <= 3
)

-- A day more than what can have changed: what goes on from there to the days before and after is found from it.
select
    source_system, device_id,
    {{ local_midnight('min(local_day)', 'time_zone') }} as from_at,
    {{ end_of_day('max(local_day)', 'time_zone') }} as until_at
from days
group by source_system, device_id, time_zone, span_nr
