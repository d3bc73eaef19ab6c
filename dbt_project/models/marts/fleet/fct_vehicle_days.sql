with fixes as (
    select * from {{ ref('int_vehicle_fixes') }}
),

messages as (
    select * from {{ ref('int_vehicle_messages') }}
),

intervals as (
    select
        source_system, device_id, local_day,
        -- Rounded: the sum of doubles depends on the order in which they come.
        round(sum(case when is_working then seconds else 0 end), 3) as working_s,
        round(sum(case when is_working then 0 else seconds end), 3) as idle_s,
        round(sum(distance_km), 3) as distance_km
    from {{ ref('int_vehicle_intervals') }}
    group by source_system, device_id, local_day
),

days as (
    select source_system, device_id, local_day from fixes
    union
    select source_system, device_id, local_day from messages
    union
    select source_system, device_id, local_day from intervals
),

joined as (
    select
        days.source_system, days.device_id, days.local_day, zones.vehicle_id,
        coalesce(zones.time_zone, 'UTC') as time_zone,
        fixes.fix_count, fixes.excluded_fix_count, fixes.late_fix_count, fixes.first_fix_at, fixes.last_fix_at,
        messages.event_count, messages.late_event_count, messages.out_of_order_event_count,
        intervals.working_s, intervals.idle_s, intervals.distance_km
    from days
    left join {{ ref('int_device_zones') }} as zones on days.device_id = zones.device_id
    left join fixes
        on days.source_system = fixes.source_system and days.device_id = fixes.device_id
        and days.local_day = fixes.local_day
    left join messages
        on days.source_system = messages.source_system and days.device_id = messages.device_id
        and days.local_day = messages.local_day
    left join intervals
        on days.source_system = intervals.source_system and days.device_id = intervals.device_id
        and days.local_day = intervals.local_day
)

select
    {{ surrogate_uuid('source_system', "device_id || '|' || cast(local_day as varchar)") }} as vehicle_day_key,
    source_system, device_id, vehicle_id, local_day, time_zone,
    cast(coalesce(fix_count, 0) as bigint) as fix_count,
    cast(coalesce(excluded_fix_count, 0) as bigint) as excluded_fix_count,
    cast(coalesce(late_fix_count, 0) as bigint) as late_fix_count,
    first_fix_at, last_fix_at,
    cast(coalesce(event_count, 0) as bigint) as event_count,
    cast(coalesce(late_event_count, 0) as bigint) as late_event_count,
    cast(coalesce(out_of_order_event_count, 0) as bigint) as out_of_order_event_count,
    cast(coalesce(distance_km, 0) as double) as distance_km,
    cast(coalesce(working_s, 0) as double) as working_s,
    cast(coalesce(idle_s, 0) as double) as idle_s,
    {{ day_length_s('local_day', 'time_zone') }} as in_service_s,
    {{ day_length_s('local_day', 'time_zone') }} - coalesce(working_s, 0) - coalesce(idle_s, 0) as unknown_s
from joined
