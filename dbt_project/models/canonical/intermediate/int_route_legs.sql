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
),

-- Straight lines between the stops stand in where nobody has planned the way itself.
points as (
    select *, max(case when is_routed then 1 else 0 end) over (partition by source_system, trip_id) as has_route
    from planned
    where latitude is not null and longitude is not null
),

legs as (
    select
        source_system, trip_id, route_id, sequence_nr, tie, is_routed,
        latitude as from_latitude, longitude as from_longitude,
        {{ metres_per_degree() }} / 1000 * cos(radians(latitude)) as km_per_degree_east,
        lead(latitude) over way as to_latitude,
        lead(longitude) over way as to_longitude
    from points
    where is_routed or has_route = 0
    window way as (partition by source_system, trip_id, route_id order by sequence_nr, tie)
),

measured as (
    select
        *,
        {{ degrees_east('from_longitude', 'to_longitude') }} * km_per_degree_east as east_km,
        (to_latitude - from_latitude) * {{ metres_per_degree() }} / 1000 as north_km
    from legs
    where to_latitude is not null
)

select
    {{ surrogate_uuid('source_system', 'trip_id') }} as trip_key, route_id, sequence_nr, tie, is_routed,
    from_latitude, from_longitude, km_per_degree_east, east_km, north_km,
    east_km * east_km + north_km * north_km as length_squared,
    case when is_routed then {{ var('deviation_km') }} else {{ var('deviation_without_route_km') }} end as allowed_km
from measured
