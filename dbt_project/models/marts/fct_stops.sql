with stops as (
    select * from {{ ref('canonical_stops') }}
)

select
    stop_key, stop_id, trip_id, vehicle_id, driver_id, depot_id, location_id, location_name, location_kind,
    region, time_zone, sequence_nr, planned_start_at, planned_end_at, arrived_at, departed_at, free_time_s,
    shipment_count, is_delivery, delivered_count, failed_count, time_quality,
    {{ epoch_s('arrived_at') }} - {{ epoch_s('planned_start_at') }} as lateness_s,
    {{ epoch_s('departed_at') }} - {{ epoch_s('arrived_at') }} as dwell_s,
    case
        when free_time_s is not null
            then greatest({{ epoch_s('departed_at') }} - {{ epoch_s('arrived_at') }} - free_time_s, 0)
    end as detention_s
from stops
