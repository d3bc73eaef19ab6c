with places as (
    select
        location_key, source_system, location_id, name, kind, latitude, longitude,
        {{ var('departure_radius_m') }} / {{ metres_per_degree() }} as reach_latitude,
        {{ var('departure_radius_m') }} / ({{ metres_per_degree() }} * cos(radians(latitude))) as reach_longitude
    from {{ ref('canonical_locations') }}
    -- Nearer to a pole nobody delivers, and a circle would span more than three cells.
    where latitude between -80 and 80 and longitude is not null and not (latitude = 0 and longitude = 0)
),

edges as (
    select
        *,
        {{ cell_row('latitude - reach_latitude') }} as south,
        {{ cell_row('latitude + reach_latitude') }} as north,
        {{ cell_column('longitude - reach_longitude') }} as west,
        {{ cell_column('longitude + reach_longitude') }} as east
    from places
),

steps as (
    {{ numbers(3) }}
)

select
    edges.location_key, edges.source_system, edges.location_id, edges.name, edges.kind,
    edges.latitude, edges.longitude,
    edges.south + up.step as cell_row,
    {{ cell_column_on_map('edges.west + aside.step') }} as cell_column
from edges
cross join steps as up
cross join steps as aside
where edges.south + up.step <= edges.north and edges.west + aside.step <= edges.east
