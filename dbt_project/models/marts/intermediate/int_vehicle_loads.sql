with way as (
    select * from {{ ref('int_loaded_ways') }}
),

-- Of several connections that hear a unit, the first by name has its trips: of those that heard it on the day, or ever.
heard as (
    select device_id, local_day, min(source_system) as source_system
    from {{ ref('int_vehicle_fixes') }}
    group by device_id, local_day
),

ever as (
    select device_id, min(source_system) as source_system
    from heard
    group by device_id
),

departed as (
    select
        zones.device_id, zones.vehicle_connection, zones.capacity_kg, loads.loaded_kg,
        {{ local_date('loads.departed_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day
    from {{ ref('int_trip_loads') }} as loads
    inner join {{ ref('int_device_zones') }} as zones
        on loads.source_system = zones.vehicle_connection and loads.vehicle_id = zones.vehicle_id
),

-- A trip belongs to the day on which it departed. Only one of known load and capacity says how full it was.
trips as (
    select
        coalesce(heard.source_system, ever.source_system, departed.vehicle_connection) as source_system,
        departed.device_id, departed.local_day, departed.loaded_kg, departed.capacity_kg,
        case when departed.loaded_kg is not null and departed.capacity_kg > 0 then 1 else 0 end as is_weighed
    from departed
    left join heard on departed.device_id = heard.device_id and departed.local_day = heard.local_day
    left join ever on departed.device_id = ever.device_id
),

parts as (
    select source_system, device_id, local_day, loaded_km, 0 as trip_count, 0 as weighed_trip_count,
        null as loaded_kg, null as offered_kg
    from way
    union all
    select source_system, device_id, local_day, null as loaded_km, 1 as trip_count, is_weighed as weighed_trip_count,
        case when is_weighed = 1 then loaded_kg end as loaded_kg,
        case when is_weighed = 1 then capacity_kg end as offered_kg
    from trips
)

select
    source_system, device_id, local_day, coalesce(sum(loaded_km), 0) as loaded_km,
    cast(sum(trip_count) as bigint) as trip_count, cast(sum(weighed_trip_count) as bigint) as weighed_trip_count,
    sum(loaded_kg) as loaded_kg, sum(offered_kg) as offered_kg
from parts
group by source_system, device_id, local_day
