{{ waits_for('touched_by_push') }}
{{ waits_for('touched_spans') }}
{{ waits_for('int_stop_visits') }}
{{ waits_for('int_place_visits') }}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select stop_key, source_system, stop_id from {{ ref('canonical_stops') }}
where false
{%- else -%}
select stop_key, source_system, stop_id from {{ ref('canonical_stops') }}
where {{ is_touched_stop('stop_id') }}
    or stop_key in (
        select stop_key from {{ ref('int_stop_visits') }}
        where geofence_visit_key not in ({{ untouched_visits() }})
    )
union
-- As the last run left them: stops that are no more, and those that had another visit then.
select stop_key, source_system, stop_id from {{ left_behind('marts', 'fct_stops') }}
where {{ is_touched_stop('stop_id') }} or geofence_visit_key not in ({{ untouched_visits() }})
{%- endif %}
