with known as (
    select source_system, device_id, local_day from {{ ref('int_vehicle_fixes') }}
    where fix_count > excluded_fix_count
),

heard as (
    select device_id, min(source_system) as source_system
    from known
    group by device_id
),

-- Days before anybody listened at all, and after, tell nothing.
days as (
    select distinct local_day from known
)

-- A lorry that is known to serve has a day also when its unit was silent: unknown, not absent.
select coalesce(heard.source_system, zones.vehicle_connection) as source_system, zones.device_id, days.local_day
from {{ ref('int_device_zones') }} as zones
inner join days
    on days.local_day >= zones.in_service_from
    and days.local_day <= coalesce(zones.in_service_until, days.local_day)
left join heard on zones.device_id = heard.device_id
