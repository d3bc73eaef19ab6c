with sites as (
    select depot_id, origin_zone as time_zone from {{ ref('fct_shipments') }}
    union
    select cast(null as string) as depot_id, destination_zone as time_zone from {{ ref('fct_shipments') }}
),

own as (
    select * from {{ ref('working_sites') }}
),

ranked as (
    select
        sites.depot_id,
        sites.time_zone,
        coalesce(own.calendar, 'default') as calendar,
        row_number() over (
            partition by sites.depot_id, sites.time_zone
            order by own.depot_id nulls last, own.time_zone nulls last, own.calendar
        ) as closest_first
    from sites
    left join own
        on coalesce(own.depot_id, sites.depot_id, '') = coalesce(sites.depot_id, '')
        and coalesce(own.time_zone, sites.time_zone) = sites.time_zone
)

-- A depot's own calendar comes before its zone's, and that before the default.
select depot_id, time_zone, calendar
from ranked
where closest_first = 1
