with orders as (
    select
        vehicle_id, started_at,
        coalesce(ended_at, {{ as_of() }}) as ended_at
    from {{ ref('canonical_maintenance_orders') }}
    where started_at is not null and status in ('started', 'completed')
        and (ended_at is not null or status = 'started')
),

-- Two orders at a time keep a lorry from working once.
ordered as (
    select
        *,
        max(ended_at) over (
            partition by vehicle_id order by started_at, ended_at rows between unbounded preceding and 1 preceding
        ) as busy_until
    from orders
),

numbered as (
    select
        *,
        sum(case when started_at <= busy_until then 0 else 1 end) over (
            partition by vehicle_id order by started_at, ended_at rows unbounded preceding
        ) as span_nr
    from ordered
),

spans as (
    select vehicle_id, min(started_at) as started_at, max(ended_at) as ended_at
    from numbered
    group by vehicle_id, span_nr
),

-- Also a day of which there is but a message, or a position that cannot be.
told as (
    select local_day from {{ ref('int_vehicle_fixes') }}
    union
    select local_day from {{ ref('int_vehicle_messages') }}
),

days as (
    select
        zones.device_id, zones.vehicle_id, days.local_day,
        {{ local_midnight('days.local_day', "coalesce(zones.time_zone, 'UTC')") }} as starts_at,
        {{ end_of_day('days.local_day', "coalesce(zones.time_zone, 'UTC')") }} as ends_at
    from {{ ref('int_device_zones') }} as zones
    cross join told as days
    where zones.vehicle_id in (select vehicle_id from spans)
)

select
    days.device_id, days.local_day,
    sum({{ epoch_s('least(spans.ended_at, days.ends_at)') }} - {{ epoch_s('greatest(spans.started_at, days.starts_at)') }})
        as maintenance_s
from days
inner join spans
    on days.vehicle_id = spans.vehicle_id and spans.started_at < days.ends_at and spans.ended_at > days.starts_at
group by days.device_id, days.local_day
