with vehicles as (
    select source_system, device_id, max(vehicle_id) as vehicle_id
    from {{ ref('canonical_vehicles') }}
    where device_id is not null
    group by source_system, device_id
),

trips as (
    select source_system, vehicle_id, depot_id, count(*) as trip_count
    from {{ ref('canonical_trips') }}
    group by source_system, vehicle_id, depot_id
),

locations as (
    select * from {{ ref('canonical_locations') }}
),

ranked as (
    select
        vehicles.device_id, vehicles.vehicle_id, locations.time_zone,
        row_number() over (
            partition by vehicles.device_id
            order by trips.trip_count desc nulls last, vehicles.vehicle_id, locations.time_zone
        ) as place
    from vehicles
    left join trips
        on vehicles.source_system = trips.source_system and vehicles.vehicle_id = trips.vehicle_id
    left join locations
        on trips.source_system = locations.source_system and trips.depot_id = locations.location_id
)

select device_id, vehicle_id, time_zone
from ranked
where place = 1
