{% set window_s = var('standing_s') - 0.001 %}
{% set metres = metres_per_degree() %}
{% set quarter_s = 21600 %}
with steps as (
    select
        source_system, device_id, local_day, from_at, positioned_at, next_at, latitude, from_latitude,
        {{ east_of_atlantic('longitude') }} as longitude, {{ east_of_atlantic('from_longitude') }} as from_longitude,
        {{ epoch_s('from_at') }} as from_s,
        case when lag(positioned_at) over (partition by source_system, device_id order by positioned_at) = from_at
            then 0 else 1 end as is_apart
    from {{ ref('int_vehicle_steps') }}
    where {{ heard_between('from_at', 'positioned_at') }} and distance_km * 1000 <= 2 * {{ var('standing_radius_m') }}
        {%- if builds_on() %} and {{ is_near(3) }}{% endif %}
),

-- A silence, or a step too wide for standing, parts what is before it from what is behind.
stretches as (
    select
        *,
        least(latitude, from_latitude) as south, greatest(latitude, from_latitude) as north,
        least(longitude, from_longitude) as west, greatest(longitude, from_longitude) as east,
        sum(is_apart) over (partition by source_system, device_id order by positioned_at rows unbounded preceding) as stretch_nr
    from steps
),

-- A quarter of a day at a time, with a standing time to both sides of it: a frame is looked for in all of its partition.
quarters as (
    {%- for shift_s in [-var('standing_s'), var('standing_s'), 0] %}
    select *, floor((from_s + {{ shift_s }}) / {{ quarter_s }}) as quarter_nr, {{ shift_s == 0 }} as is_own from stretches
    {{ 'where floor((from_s + ' ~ shift_s ~ ') / ' ~ quarter_s ~ ') <> floor(from_s / ' ~ quarter_s ~ ') union all' if shift_s }}
    {%- endfor %}
),

-- All steps that begin within the shortest standing time: a vehicle stands when they stay in one small box.
ahead as (
    select *,
        max(positioned_at) over later as window_ends_at,
        (max(north) over later - min(south) over later) * {{ metres }} as height_m,
        (max(east) over later - min(west) over later) * {{ metres }} * cos(radians(south)) as width_m
    from quarters
    window later as (
        partition by source_system, device_id, stretch_nr, quarter_nr order by from_s
        range between current row and {{ window_s }} following
    )
),

covered as (
    select *,
        max(case when height_m * height_m + width_m * width_m <= 4 * {{ var('standing_radius_m') ** 2 }} then window_ends_at end) over (
            partition by source_system, device_id, stretch_nr, quarter_nr order by from_s
            range between {{ window_s }} preceding and current row
        ) as stands_until
    from ahead
),

numbered as (
    select
        *,
        case when lag(positioned_at) over (partition by source_system, device_id, local_day order by positioned_at) = from_at
            then 0 else 1 end as is_first
    from covered
    where is_own and stands_until >= positioned_at
),

runs as (
    select
        *,
        sum(is_first) over (partition by source_system, device_id, local_day order by positioned_at rows unbounded preceding) as run_nr
    from numbered
)

select
    source_system, device_id, local_day,
    min(from_at) as first_at, max(positioned_at) as last_at, {{ after_run('next_at', 'positioned_at') }} as after_at,
    min_by(from_latitude, from_at) as first_latitude, min_by(from_longitude, from_at) as first_longitude,
    sum(latitude) as latitude_sum, sum(longitude) as longitude_sum, count(*) as step_count
from runs
{% if builds_on() %}where {{ is_near(2) }}{% endif %}
group by source_system, device_id, local_day, run_nr
