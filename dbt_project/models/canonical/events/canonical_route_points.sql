with points as (
    select
        *,
        max(source_version) over (partition by source_system, route_id) as route_version
    from {{ ref('stg_dispatch__route_points') }}
)

-- Points of an older version of the route do not surface.
select
    {{ surrogate_uuid('source_system', 'source_id') }} as route_point_key,
    {{ surrogate_uuid('source_system', 'route_id') }} as route_key,
    route_id,
    trip_id,
    sequence_nr,
    latitude,
    longitude,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from points
where source_version = route_version
