{{ waits_for('touched_spans') }}
{% set bucket = var('stop_match_s') %}
{% set pair -%}
    stops.stop_key, stops.stop_id, stops.trip_id, visits.geofence_visit_key, visits.begun_at, visits.departed_at,
        visits.is_arrival_seen, abs({{ epoch_s('visits.begun_at') }} - {{ epoch_s('stops.expected_at') }}) as apart_s
{%- endset %}
{% set same -%}
    stops.vehicle_connection = visits.vehicle_connection and stops.vehicle_id = visits.vehicle_id
        and stops.location_key = visits.location_key
{%- endset %}
with visits as (
    select
        visits.geofence_visit_key, visits.location_key, visits.arrived_at as begun_at, visits.departed_at,
        visits.is_arrival_seen, zones.vehicle_connection, zones.vehicle_id,
        floor({{ epoch_s('visits.arrived_at') }} / {{ bucket }}) as time_nr
    from {{ ref('int_place_visits') }} as visits
    inner join {{ ref('int_device_zones') }} as zones on visits.device_id = zones.device_id
),

planned as (
    select
        stops.stop_key, stops.stop_id, stops.trip_id, stops.source_system as vehicle_connection, stops.vehicle_id,
        locations.location_key, coalesce(stops.arrived_at, stops.planned_start_at, stops.planned_end_at) as expected_at
    from {{ ref('canonical_stops') }} as stops
    inner join {{ ref('canonical_locations') }} as locations
        on stops.source_system = locations.source_system and stops.location_id = locations.location_id
    where stops.vehicle_id is not null
),

stops as (
    select *, floor({{ epoch_s('expected_at') }} / {{ bucket }}) as time_nr from planned
),

steps as (
    {{ numbers(3) }}
),

-- A depot sees the same lorry every day: only what lies in neighbouring stretches of time meets at all.
stops_around as (
    select stops.*, stops.time_nr + steps.step - 1 as near_nr
    from stops
    cross join steps
    {%- if builds_on() %}
    where {{ is_touched_stop('stops.stop_id') }}
    {%- endif %}
),
{% if builds_on() %}
visits_around as (
    select visits.*, visits.time_nr + steps.step - 1 as near_nr
    from visits
    cross join steps
    where visits.geofence_visit_key not in ({{ untouched_visits() }})
),
{% endif %}
pairs as (
    select {{ pair }}
    from stops_around as stops
    inner join visits on {{ same }} and stops.near_nr = visits.time_nr
    {%- if builds_on() %}
    union
    select {{ pair }}
    from stops
    inner join visits_around as visits on {{ same }} and stops.time_nr = visits.near_nr
    {%- endif %}
)

select
    stop_key, stop_id, trip_id, geofence_visit_key, apart_s, begun_at,
    case when is_arrival_seen then begun_at end as arrived_at,
    departed_at
from pairs
where apart_s <= {{ bucket }}
