-- A sum, so that two points that are alike do not take each other away.
select
    {{ surrogate_uuid('source_system', 'trip_id') }} as trip_key, source_system, trip_id,
    max(case when is_routed then 1 else 0 end) = 1 as has_route,
    sum(cast({{ number_of(['route_id', 'sequence_nr', 'tie', 'latitude', 'longitude', 'is_routed']) }} as decimal(38, 0))) as points_number
from {{ ref('int_way_points') }}
group by source_system, trip_id
