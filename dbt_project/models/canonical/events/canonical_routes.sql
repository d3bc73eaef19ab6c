with legs as (
    select
        *,
        lag(latitude) over (partition by route_key order by sequence_nr) as from_latitude,
        lag(longitude) over (partition by route_key order by sequence_nr) as from_longitude
    from {{ ref('canonical_route_points') }}
)

select
    route_key,
    route_id,
    min(trip_id) as trip_id,
    count(*) as point_count,
    coalesce(sum({{ distance_km('from_latitude', 'from_longitude', 'latitude', 'longitude') }}), 0) as length_km,
    source_system,
    route_id as source_id,
    max(source_version) as source_version,
    max(ingested_at) as ingested_at,
    max(run_id) as run_id,
    max(contract_version) as contract_version
from legs
group by route_key, route_id, source_system
