{{ waits_for('touched_spans') }}
{% set place = ['source_system', 'device_id', 'location_key'] %}
with {% if builds_on() %}recursive {{ runs_out_of_spans(ref('int_place_runs'), place,
    [var('longest_gap_s'), var('shortest_absence_s')] | max) }},

{% endif %}runs as (
    select
        *,
        lag(last_at) over (partition by source_system, device_id, location_key order by first_at) as last_here_at
    from {{ runs_of_spans(ref('int_place_runs'), place) }} as runs
),

-- One visit goes on over midnight, and over an absence too short to have left.
numbered as (
    select
        *,
        sum(
            case
                when before_at = last_here_at and {{ heard_between('last_here_at', 'first_at') }} then 0
                when {{ epoch_s('first_at') }} - {{ epoch_s('last_here_at') }} <= {{ var('shortest_absence_s') }} then 0
                else 1
            end
        ) over (
            partition by source_system, device_id, location_key order by first_at rows unbounded preceding
        ) as visit_nr
    from runs
),

visits as (
    select
        source_system, device_id, location_key, visit_nr,
        min(first_at) as first_at,
        max(last_at) as last_at,
        min(inside_first_at) as arrived_at,
        max(inside_last_at) as last_inside_at,
        sum(fix_count) as fix_count,
        min(nearest_m) as nearest_m,
        {{ before_run('before_at', 'first_at') }} as before_at,
        {{ after_run('after_at', 'last_at') }} as after_at
    from numbered
    group by source_system, device_id, location_key, visit_nr
),

judged as (
    select
        *,
        {{ heard_between('before_at', 'first_at') }} as is_arrival_seen,
        {{ heard_between('last_at', 'after_at') }} as is_departure_seen
    from visits
    where arrived_at is not null
        and {{ epoch_s('last_inside_at') }} - {{ epoch_s('arrived_at') }} >= {{ var('shortest_visit_s') }}
)

select
    {{ surrogate_uuid('source_system', "device_id || '|' || location_key || '|' || cast(cast(" ~ epoch_s('arrived_at') ~ " as bigint) as string)") }}
        as geofence_visit_key,
    source_system, device_id, location_key, first_at, last_at, arrived_at, last_inside_at,
    case when is_departure_seen then last_inside_at end as departed_at,
    is_arrival_seen, is_departure_seen, after_at is null as is_open,
    cast(fix_count as bigint) as fix_count, nearest_m
from judged
{%- if builds_on() %}
where {{ in_touched_span('judged', 'first_at', 'last_at') }}
{%- endif %}
