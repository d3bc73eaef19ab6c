-- depends_on: {{ ref('new_loads') }}
-- depends_on: {{ ref('int_trip_spans') }}
-- depends_on: {{ ref('int_route_legs') }}
-- depends_on: {{ ref('int_place_cells') }}
{%- set kept = left_behind('canonical', 'canonical_positions') %}
{%- set steps = left_behind('canonical', 'int_vehicle_steps') %}
{%- set news = source('raw_telematics', 'positions') %}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select
    cast(null as varchar) as source_system, device_id, cast(null as date) as local_day, cast(null as bigint) as distance
from {{ ref('int_device_zones') }}
where false
{%- else -%}
with zones as (
    select * from {{ ref('int_device_zones') }}
),

moved as (
    select distinct device_id from ({{ changed_since_seen('int_device_zones', 'device_id, time_zone') }}) as changed
),

-- What came in, what it corrects, and all of a unit whose days have changed.
fixes as (
    select source_system, device_id, positioned_at, quality from {{ news }} where {{ came_in('raw_telematics') }}
    union
    select source_system, device_id, positioned_at, quality from {{ kept }}
    where source_id in (select source_id from {{ news }} where {{ came_in('raw_telematics') }})
        or device_id in (select device_id from moved)
),

heard as (
    select
        fixes.source_system, fixes.device_id, fixes.quality,
        {{ local_date('fixes.positioned_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day
    from fixes
    left join zones on fixes.device_id = zones.device_id
),

known as (
    select distinct source_system, device_id, local_day from {{ steps }}
    union
    select source_system, device_id, local_day from heard where quality = 'ok'
),

trips as (
    select trip_key, vehicle_id, departed_at, ended_at
    from ({{ changed_since_seen('int_trip_spans', 'trip_key, vehicle_id, departed_at, ended_at, loaded_until_at') }}) as changed
    union
    select spans.trip_key, spans.vehicle_id, spans.departed_at, spans.ended_at
    from {{ ref('int_trip_spans') }} as spans
    inner join (
        {{ changed_since_seen('int_route_legs', 'trip_key, route_id, sequence_nr, tie, from_latitude, from_longitude, east_km, north_km, allowed_km') }}
    ) as legs on spans.trip_key = legs.trip_key
),

places as (
    {{ changed_since_seen('int_place_cells', 'location_key, latitude, longitude, cell_row, cell_column') }}
),

touched as (
    select source_system, device_id, local_day from heard
    union
    select source_system, device_id, local_day from {{ steps }} where device_id in (select device_id from moved)
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
