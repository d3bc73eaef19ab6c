with visits as (
    select * from {{ ref('int_place_visits') }}
),

stops as (
    select matches.geofence_visit_key, stops.stop_id, stops.trip_id
    from {{ ref('int_stop_visits') }} as matches
    inner join {{ ref('canonical_stops') }} as stops on matches.stop_key = stops.stop_key
    where matches.is_stop_of_visit
)

select
    visits.geofence_visit_key,
    visits.source_system,
    visits.device_id,
    zones.vehicle_id,
    locations.source_system as location_connection,
    locations.location_id,
    locations.kind as location_kind,
    {{ local_date('visits.arrived_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day,
    stops.stop_id,
    stops.trip_id,
    stops.stop_id is not null as is_planned,
    visits.arrived_at,
    visits.departed_at,
    visits.last_inside_at,
    visits.is_arrival_seen,
    visits.is_departure_seen,
    visits.is_open,
    case when visits.is_arrival_seen
        then {{ epoch_s('visits.departed_at') }} - {{ epoch_s('visits.arrived_at') }} end as dwell_s,
    visits.fix_count,
    visits.nearest_m
from visits
inner join {{ ref('canonical_locations') }} as locations on visits.location_key = locations.location_key
left join {{ ref('int_device_zones') }} as zones on visits.device_id = zones.device_id
left join stops on visits.geofence_visit_key = stops.geofence_visit_key
