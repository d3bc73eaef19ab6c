with stops as (
    select stops.source_system, stops.trip_id, stops.sequence_nr, stops.stop_id, places.latitude, places.longitude
    from {{ ref('canonical_stops') }} as stops
    inner join {{ ref('canonical_locations') }} as places
        on stops.source_system = places.source_system and stops.location_id = places.location_id
),

depots as (
    select
        spans.source_system, spans.trip_id, -1 as sequence_nr, cast(null as string) as stop_id,
        places.latitude, places.longitude
    from {{ ref('int_trip_spans') }} as spans
    inner join {{ ref('canonical_locations') }} as places
        on spans.source_system = places.source_system and spans.depot_id = places.location_id
),

planned as (
    select source_system, trip_id, route_id, sequence_nr, route_id as tie, latitude, longitude, true as is_routed
    from {{ ref('canonical_route_points') }}
    union all
    select source_system, trip_id, 'stops' as route_id, sequence_nr, stop_id as tie, latitude, longitude, false as is_routed
    from (select * from depots union all select * from stops) as places
)

select * from planned
where trip_id is not null and latitude is not null and longitude is not null
