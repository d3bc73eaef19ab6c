{{ waits_for('changed_ways') }}
{%- if builds_on() %}
select trip_key, vehicle_id, departed_at, ended_at
from ({{ changed_since_seen('int_trip_spans', 'trip_key, vehicle_id, departed_at, ended_at, loaded_until_at') }}) as changed
union
select spans.trip_key, spans.vehicle_id, spans.departed_at, spans.ended_at
from {{ ref('int_trip_spans') }} as spans
where spans.trip_key in (select trip_key from {{ ref('changed_ways') }})
{%- else %}
-- Everything is built, so nothing is chosen.
select trip_key, vehicle_id, departed_at, ended_at from {{ ref('int_trip_spans') }}
where false
{%- endif %}
