{{ waits_for('new_loads') }}
{%- set kept = left_behind('canonical', 'canonical_positions') %}
{%- set news = source('raw_telematics', 'positions') %}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select cast(null as string) as source_system, device_id, cast(null as date) as local_day, false as is_ok
from {{ ref('int_device_zones') }}
where false
{%- else -%}
with moved as (
    select device_id from ({{ changed_since_seen('int_device_zones', 'device_id, vehicle_connection, vehicle_id, time_zone') }}) as changed
),

-- What came in, what it corrects, and all of a unit whose days are others now, or whose lorry is another.
fixes as (
    select source_system, device_id, positioned_at, quality from {{ news }} where {{ came_in('raw_telematics') }}
    union
    select source_system, device_id, positioned_at, quality from {{ kept }}
    where (source_id, positioned_at) in (
        select source_id, positioned_at from {{ news }} where {{ came_in('raw_telematics') }}
    )
    union
    select source_system, device_id, positioned_at, quality from {{ kept }}
    where device_id in (select device_id from moved)
)

select
    fixes.source_system, fixes.device_id,
    {{ local_date('fixes.positioned_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day,
    max(case when fixes.quality = 'ok' then 1 else 0 end) = 1 as is_ok
from fixes
left join {{ ref('int_device_zones') }} as zones on fixes.device_id = zones.device_id
group by fixes.source_system, fixes.device_id, {{ local_date('fixes.positioned_at', "coalesce(zones.time_zone, 'UTC')") }}
union
-- The days that such a unit had are none of its own any more.
select source_system, device_id, local_day, false
from {{ left_behind('canonical', 'int_vehicle_steps') }}
where device_id in (select device_id from moved)
union
-- Those of which there is no usable fix among them.
select source_system, device_id, local_day, false
from {{ left_behind('intermediate', 'int_vehicle_fixes') }}
where device_id in (select device_id from moved)
{%- endif %}
