with intervals as (
    select * from {{ ref('int_vehicle_working_days') }}
),

fixes as (
    select * from {{ ref('int_vehicle_fixes') }}
),

messages as (
    select * from {{ ref('int_vehicle_messages') }}
),

days as (
    select source_system, device_id, local_day from fixes
    union
    select source_system, device_id, local_day from messages
    union
    select source_system, device_id, local_day from intervals
    union
    select source_system, device_id, local_day from {{ ref('int_service_days') }}
),

heard as (
    select
        days.source_system, days.device_id, days.local_day, zones.vehicle_id, zones.depot_id, zones.region,
        coalesce(zones.time_zone, 'UTC') as time_zone,
        days.local_day >= coalesce(zones.in_service_from, days.local_day)
            and days.local_day <= coalesce(zones.in_service_until, days.local_day) as is_in_service,
        fixes.fix_count, fixes.excluded_fix_count, fixes.late_fix_count, fixes.first_fix_at, fixes.last_fix_at,
        messages.event_count, messages.late_event_count, messages.out_of_order_event_count,
        intervals.working_s, intervals.idle_s, intervals.distance_km
    from days
    left join {{ ref('int_device_zones') }} as zones using (device_id)
    left join fixes using (source_system, device_id, local_day)
    left join messages using (source_system, device_id, local_day)
    left join intervals using (source_system, device_id, local_day)
),

lengths as (
    select *, {{ day_length_s('local_day', 'time_zone') }} as day_s from heard
)

select
    {{ surrogate_uuid('source_system', "device_id || '|' || cast(local_day as string)") }} as vehicle_day_key,
    source_system, device_id, vehicle_id, local_day, time_zone, depot_id, region,
    cast(coalesce(fix_count, 0) as bigint) as fix_count,
    cast(coalesce(excluded_fix_count, 0) as bigint) as excluded_fix_count,
    cast(coalesce(late_fix_count, 0) as bigint) as late_fix_count,
    first_fix_at, last_fix_at,
    cast(coalesce(event_count, 0) as bigint) as event_count,
    cast(coalesce(late_event_count, 0) as bigint) as late_event_count,
    cast(coalesce(out_of_order_event_count, 0) as bigint) as out_of_order_event_count,
    cast(coalesce(distance_km, 0) as double) as distance_km,
    cast(round(coalesce(loaded_km, 0), 3) as double) as loaded_km,
    cast(coalesce(trip_count, 0) as bigint) as trip_count,
    cast(coalesce(weighed_trip_count, 0) as bigint) as weighed_trip_count,
    cast(loaded_kg as decimal(18, 4)) as loaded_kg,
    cast(offered_kg as decimal(18, 4)) as offered_kg,
    cast(coalesce(working_s, 0) as double) as working_s,
    cast(coalesce(idle_s, 0) as double) as idle_s,
    case when is_in_service then day_s else 0 end as in_service_s,
    cast(case when is_in_service then coalesce(maintenance_s, 0) else 0 end as double) as maintenance_s,
    case when is_in_service then day_s - coalesce(maintenance_s, 0) else 0 end as available_s,
    day_s - coalesce(working_s, 0) - coalesce(idle_s, 0) as unknown_s
from lengths
left join {{ ref('int_vehicle_loads') }} as loads using (source_system, device_id, local_day)
left join {{ ref('int_maintenance_days') }} as maintenance using (device_id, local_day)
