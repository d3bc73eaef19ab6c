{% set bucket = var('stop_match_s') %}
with visits as (
    select
        visits.geofence_visit_key, visits.location_key, visits.arrived_at, visits.departed_at,
        visits.is_arrival_seen, visits.is_departure_seen, zones.vehicle_connection, zones.vehicle_id
    from {{ ref('int_place_visits') }} as visits
    inner join {{ ref('int_device_zones') }} as zones on visits.device_id = zones.device_id
),

stops as (
    select
        stops.stop_key, stops.source_system, stops.vehicle_id, locations.location_key,
        coalesce(stops.arrived_at, stops.planned_start_at, stops.planned_end_at) as expected_at
    from {{ ref('canonical_stops') }} as stops
    inner join {{ ref('canonical_locations') }} as locations
        on stops.source_system = locations.source_system and stops.location_id = locations.location_id
    where stops.vehicle_id is not null
),

steps as (
    {{ numbers(3) }}
),

-- A depot sees the same lorry every day: only what lies in neighbouring stretches of time meets at all.
around as (
    select stops.*, floor({{ epoch_s('stops.expected_at') }} / {{ bucket }}) + steps.step - 1 as time_nr
    from stops
    cross join steps
),

pairs as (
    select
        around.stop_key, visits.*,
        abs({{ epoch_s('visits.arrived_at') }} - {{ epoch_s('around.expected_at') }}) as apart_s
    from visits
    inner join around
        on visits.vehicle_connection = around.source_system and visits.vehicle_id = around.vehicle_id
        and visits.location_key = around.location_key
        and floor({{ epoch_s('visits.arrived_at') }} / {{ bucket }}) = around.time_nr
),

ranked as (
    select
        *,
        row_number() over (
            partition by stop_key order by apart_s, arrived_at, geofence_visit_key
        ) as visit_rank,
        row_number() over (partition by geofence_visit_key order by apart_s, stop_key) as stop_rank
    from pairs
    where apart_s <= {{ var('stop_match_s') }}
)

select
    stop_key, geofence_visit_key, apart_s, visit_rank = 1 as is_visit_of_stop, stop_rank = 1 as is_stop_of_visit,
    case when is_arrival_seen then arrived_at end as arrived_at,
    departed_at
from ranked
where visit_rank = 1 or stop_rank = 1
