{{ waits_for('int_trip_ways') }}
{%- if builds_on() %}
select distinct trip_key
from ({{ changed_since_seen('int_trip_ways', 'trip_key, points_number') }}) as changed
{%- else -%}
-- Everything is built, so nothing is chosen.
select trip_key from {{ ref('int_trip_ways') }}
where false
{%- endif %}
