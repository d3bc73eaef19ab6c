with fixes as (
    select
        steps.source_system, steps.device_id, steps.local_day, steps.positioned_at, steps.from_at, steps.next_at,
        places.location_key,
        {{ distance_m('places.latitude', 'places.longitude', 'steps.latitude', 'steps.longitude') }} as distance_m
    from {% if builds_on() %}(select * from {{ ref('int_vehicle_steps') }} where {{ is_near(1) }}){% else %}{{ ref('int_vehicle_steps') }}{% endif %} as steps
    inner join {{ ref('int_place_cells') }} as places
        on {{ cell_row('steps.latitude') }} = places.cell_row
        and {{ cell_column_on_map(cell_column('steps.longitude')) }} = places.cell_column
),

near as (
    select
        *,
        lag(positioned_at) over (
            partition by source_system, device_id, location_key, local_day order by positioned_at
        ) as last_here_at
    from fixes
    where distance_m <= {{ var('departure_radius_m') }}
),

-- A run goes on while the unit's fix before was here too, and it was not silent for long.
numbered as (
    select
        *,
        sum(case when last_here_at = from_at and {{ heard_between('from_at', 'positioned_at') }} then 0 else 1 end)
            over (
                partition by source_system, device_id, location_key, local_day order by positioned_at
                rows unbounded preceding
            ) as run_nr
    from near
)

select
    source_system, device_id, local_day, location_key,
    min(positioned_at) as first_at,
    max(positioned_at) as last_at,
    min(case when distance_m <= {{ var('arrival_radius_m') }} then positioned_at end) as inside_first_at,
    max(case when distance_m <= {{ var('arrival_radius_m') }} then positioned_at end) as inside_last_at,
    count(*) as fix_count,
    min(distance_m) as nearest_m,
    {{ before_run('from_at', 'positioned_at') }} as before_at,
    {{ after_run('next_at', 'positioned_at') }} as after_at
from numbered
group by source_system, device_id, local_day, location_key, run_nr
