with events as (
    select
        events.source_system, events.device_id, events.occurred_at, events.received_at,
        {{ local_date('events.occurred_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day,
        max(events.occurred_at) over (
            partition by events.source_system, events.device_id
            order by events.received_at, events.occurred_at, events.event_type
            rows between unbounded preceding and 1 preceding
        ) as latest_before
    from {{ ref('canonical_vehicle_events') }} as events
    left join {{ ref('int_device_zones') }} as zones on events.device_id = zones.device_id
)

select
    source_system, device_id, local_day,
    count(*) as event_count,
    sum(case when {{ epoch_s('received_at') }} - {{ epoch_s('occurred_at') }} > {{ var('late_after_s') }}
        then 1 else 0 end) as late_event_count,
    sum(case when received_at is not null and occurred_at < latest_before then 1 else 0 end)
        as out_of_order_event_count
from events
group by source_system, device_id, local_day
