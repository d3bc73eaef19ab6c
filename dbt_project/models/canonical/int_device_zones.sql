with carried as (
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
        carried.source_system, carried.device_id, carried.vehicle_id, locations.location_id as depot_id,
        locations.region, locations.time_zone,
        row_number() over (
            partition by carried.device_id
            order by trips.trip_count desc nulls last, carried.vehicle_id, locations.time_zone
        ) as place
    from carried
    left join trips
        on carried.source_system = trips.source_system and carried.vehicle_id = trips.vehicle_id
    left join locations
        on trips.source_system = locations.source_system and trips.depot_id = locations.location_id
)

select
    ranked.device_id, ranked.vehicle_id, ranked.time_zone, ranked.source_system as vehicle_connection,
    ranked.depot_id, ranked.region, vehicles.capacity_kg, vehicles.in_service_from, vehicles.in_service_until
from ranked
left join {{ ref('canonical_vehicles') }} as vehicles
    on ranked.source_system = vehicles.source_system and ranked.vehicle_id = vehicles.vehicle_id
where ranked.place = 1
