{{ waits_for('heard_days') }}
{{ waits_for('changed_trips') }}
{{ waits_for('int_place_cells') }}
{%- set steps = left_behind('canonical', 'int_vehicle_steps') %}
{%- set stays = left_behind('canonical', 'canonical_vehicle_stops') %}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select
    cast(null as string) as source_system, device_id, cast(null as date) as local_day, cast(null as bigint) as distance
from {{ ref('int_device_zones') }}
where false
{%- else -%}
with zones as (
    select * from {{ ref('int_device_zones') }}
),

heard as (
    select * from {{ ref('heard_days') }}
),

known as (
    select source_system, device_id, local_day from {{ left_behind('intermediate', 'int_vehicle_fixes') }}
    where fix_count > excluded_fix_count
    union
    select source_system, device_id, local_day from heard where is_ok
),

trips as (
    select * from {{ ref('changed_trips') }}
),

places as (
    {{ changed_since_seen('int_place_cells', 'location_key, source_system, location_id, kind, latitude, longitude, cell_row, cell_column') }}
),

touched as (
    select source_system, device_id, local_day from heard
    union
    select known.source_system, known.device_id, known.local_day
    from trips
    inner join zones on trips.vehicle_id = zones.vehicle_id
    inner join known
        on zones.device_id = known.device_id
        and known.local_day between cast(trips.departed_at as date) - 1 and cast(trips.ended_at as date) + 1
    union
    select steps.source_system, steps.device_id, steps.local_day
    from {{ steps }} as steps
    inner join places
        on {{ cell_row('steps.latitude') }} = places.cell_row
        and {{ cell_column_on_map(cell_column('steps.longitude')) }} = places.cell_column
    union
    -- The middle of a stay may lie where none of its fixes does.
    select stays.source_system, stays.device_id, stays.local_day
    from {{ stays }} as stays
    inner join places
        on {{ cell_row('stays.latitude') }} = places.cell_row
        and {{ cell_column_on_map(cell_column('stays.longitude')) }} = places.cell_column
),

numbered as (
    select *, row_number() over (partition by source_system, device_id order by local_day) as day_nr
    from (select * from known union select * from touched) as days
)

select days.source_system, days.device_id, days.local_day, min(abs(days.day_nr - near.day_nr)) as distance
from numbered as days
inner join (
    select numbered.* from numbered
    inner join touched using (source_system, device_id, local_day)
) as near
    on days.source_system = near.source_system and days.device_id = near.device_id
    and days.day_nr between near.day_nr - 4 and near.day_nr + 4
group by days.source_system, days.device_id, days.local_day
{%- endif %}
