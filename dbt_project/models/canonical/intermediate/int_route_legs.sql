{{ waits_for('changed_ways') }}
-- Straight lines between the stops stand in where nobody has planned the way itself.
with points as (
    select ways.trip_key, points.*
    from {{ ref('int_way_points') }} as points
    inner join {{ ref('int_trip_ways') }} as ways
        on points.source_system = ways.source_system and points.trip_id = ways.trip_id and points.is_routed = ways.has_route
    {%- if builds_on() %}
    where ways.trip_key in (select trip_key from {{ ref('changed_ways') }})
    {%- endif %}
),

legs as (
    select
        trip_key, route_id, sequence_nr, tie, is_routed,
        latitude as from_latitude, longitude as from_longitude,
        {{ metres_per_degree() }} / 1000 * cos(radians(latitude)) as km_per_degree_east,
        lead(latitude) over way as to_latitude,
        lead(longitude) over way as to_longitude
    from points
    window way as (partition by trip_key, route_id order by sequence_nr, tie)
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
    trip_key, route_id, sequence_nr, tie, is_routed,
    from_latitude, from_longitude, km_per_degree_east, east_km, north_km,
    east_km * east_km + north_km * north_km as length_squared,
    case when is_routed then {{ var('deviation_km') }} else {{ var('deviation_without_route_km') }} end as allowed_km
from measured
