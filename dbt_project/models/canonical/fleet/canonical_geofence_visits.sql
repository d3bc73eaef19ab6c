{{ waits_for('touched_spans') }}
with visits as (
    select * from {{ ref('int_place_visits') }} as visits
    {%- if builds_on() %}
    -- Also those that a touched stop had before, or can have now.
    where {{ in_touched_span('visits', 'first_at', 'last_at') }}
        or geofence_visit_key in (select geofence_visit_key from {{ this }} where {{ is_touched_stop('stop_id') }})
        or geofence_visit_key in (
            select geofence_visit_key from {{ ref('int_stop_visits') }} where {{ is_touched_stop('stop_id') }}
        )
    {%- endif %}
),

ranked as (
    select
        geofence_visit_key, stop_id, trip_id,
        row_number() over (partition by geofence_visit_key order by apart_s, stop_key) as stop_rank
    from {{ ref('int_stop_visits') }}
    {%- if builds_on() %}
    where geofence_visit_key in (select geofence_visit_key from visits)
    {%- endif %}
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
left join ranked as stops on visits.geofence_visit_key = stops.geofence_visit_key and stops.stop_rank = 1
