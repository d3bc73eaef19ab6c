{{ waits_for('int_route_legs') }}
{%- if builds_on() %}
select trip_key, vehicle_id, departed_at, ended_at
from ({{ changed_since_seen('int_trip_spans', 'trip_key, vehicle_id, departed_at, ended_at, loaded_until_at') }}) as changed
union
select spans.trip_key, spans.vehicle_id, spans.departed_at, spans.ended_at
from {{ ref('int_trip_spans') }} as spans
inner join (
    {{ changed_since_seen('int_route_legs', 'trip_key, route_id, sequence_nr, tie, from_latitude, from_longitude, east_km, north_km, allowed_km') }}
) as legs on spans.trip_key = legs.trip_key
{%- else %}
-- Everything is built, so nothing is chosen.
select trip_key, vehicle_id, departed_at, ended_at from {{ ref('int_trip_spans') }}
where false
{%- endif %}
