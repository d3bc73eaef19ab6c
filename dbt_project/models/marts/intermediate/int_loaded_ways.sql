select source_system, device_id, local_day, sum(distance_km) as loaded_km
from {{ ref('int_trip_steps') }}
where is_loaded and seconds <= {{ var('longest_gap_s') }}
group by source_system, device_id, local_day
