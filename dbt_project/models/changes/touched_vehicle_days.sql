{% set found = node('vehicle_day', vehicle_day_no()) %}
{%- if not builds_on() %}
-- Everything is built, so nothing is chosen.
select {{ found }} as node, {{ last_built_at() }} as built_on from {{ ref('fct_vehicle_days') }}
where false
{%- else -%}
-- Days are built whole; few of them are others than before, or were not over then.
select {{ found }} as node, {{ last_built_at() }} as built_on
from ({{ changed_since_seen('fct_vehicle_days', vehicle_day_columns()) }}) as changed
union
select {{ found }}, {{ last_built_at() }} from {{ ref('fct_vehicle_days') }}
where {{ end_of_day('local_day', 'time_zone') }} > {{ last_built_at() }}
union
-- A run that went on from the same build and broke off may have replaced the facts of what is as it was by now.
select node, built_on from {{ left_behind('changes', 'touched_vehicle_days') }}
where built_on = {{ last_built_at() }}
{%- endif %}
