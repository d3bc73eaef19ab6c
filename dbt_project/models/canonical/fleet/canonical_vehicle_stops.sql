{{ waits_for('touched_spans') }}
{% set unit = ['source_system', 'device_id'] %}
with {% if builds_on() %}recursive {{ runs_out_of_spans(ref('int_standing_runs'), unit, 0) }},

{% endif %}runs as (
    select
        *,
        lag(last_at) over (partition by source_system, device_id order by first_at) as last_stood_at
    from {{ runs_of_spans(ref('int_standing_runs'), unit) }} as runs
),

numbered as (
    select
        *,
        sum(case when first_at = last_stood_at then 0 else 1 end) over (
            partition by source_system, device_id order by first_at rows unbounded preceding
        ) as stop_nr
    from runs
),

-- One that stood over midnight stood once.
stood as (
    select
        source_system, device_id,
        min(first_at) as started_at,
        max(last_at) as last_at,
        {{ after_run('after_at', 'last_at') }} as after_at,
        (min_by(first_latitude, first_at) + sum(latitude_sum)) / (sum(step_count) + 1) as latitude,
        (min_by(first_longitude, first_at) + sum(longitude_sum)) / (sum(step_count) + 1) as east_of_atlantic,
        cast(sum(step_count) + 1 as bigint) as fix_count
    from numbered
    group by source_system, device_id, stop_nr
    having {{ epoch_s('max(last_at)') }} - {{ epoch_s('min(first_at)') }} >= {{ var('standing_s') }}
),

somewhere as (
    select *, {{ longitude_of('east_of_atlantic') }} as longitude from stood
    {%- if builds_on() %}
    where {{ in_touched_span('stood', 'started_at', 'last_at') }}
    {%- endif %}
),

placed as (
    select
        stood.source_system, stood.device_id, stood.started_at, places.location_id,
        places.source_system as location_connection,
        row_number() over (
            partition by stood.source_system, stood.device_id, stood.started_at
            order by {{ distance_m('places.latitude', 'places.longitude', 'stood.latitude', 'stood.longitude') }},
                places.location_key
        ) as place_rank
    from somewhere as stood
    inner join {{ ref('int_place_cells') }} as places
        on {{ cell_row('stood.latitude') }} = places.cell_row
        and {{ cell_column_on_map(cell_column('stood.longitude')) }} = places.cell_column
        and {{ distance_m('places.latitude', 'places.longitude', 'stood.latitude', 'stood.longitude') }}
            <= {{ var('departure_radius_m') }}
)

select
    {{ surrogate_uuid('stood.source_system', "stood.device_id || '|' || cast(cast(" ~ epoch_s('stood.started_at') ~ " as bigint) as string)") }}
        as vehicle_stop_key,
    stood.source_system, stood.device_id, zones.vehicle_id,
    {{ local_date('stood.started_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day,
    stood.started_at,
    case when {{ heard_between('stood.last_at', 'stood.after_at') }} then stood.last_at end as ended_at,
    stood.last_at as last_seen_at,
    stood.after_at is null as is_open,
    {{ epoch_s('stood.last_at') }} - {{ epoch_s('stood.started_at') }} as seen_s,
    stood.latitude, stood.longitude, placed.location_connection, placed.location_id, stood.fix_count
from somewhere as stood
left join {{ ref('int_device_zones') }} as zones on stood.device_id = zones.device_id
left join placed
    on stood.source_system = placed.source_system and stood.device_id = placed.device_id
    and stood.started_at = placed.started_at and placed.place_rank = 1
