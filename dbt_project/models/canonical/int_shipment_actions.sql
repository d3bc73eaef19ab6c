with actions as (
    select * from {{ ref('canonical_actions') }}
    where shipment_id is not null and lifecycle = 'realized'
),

handovers as (
    select
        shipment_id,
        stop_id,
        result_status,
        result_reason,
        row_number() over (
            partition by shipment_id
            order by end_at desc nulls last, source_version desc, action_type, action_id
        ) as newest_first
    from actions
    where action_type in ('handOver', 'unload')
),

times as (
    select
        shipment_id,
        min(shipment_no) as shipment_no,
        min(case when action_type = 'load' and is_done then end_at end) as departed_at,
        min(case when action_type in ('stop', 'handOver') then start_at end) as arrived_at,
        min(case when action_type in ('handOver', 'unload') and is_done then end_at end) as delivered_at,
        min(case when action_type in ('handOver', 'unload') and result_status = 'failed' then end_at end)
            as failed_attempt_at,
        max({{ time_quality_rank('time_quality') }}) as time_quality_rank,
        sum(case when lower(result_reason) like '%damage%' then 1 else 0 end) > 0 as has_damage
    from actions
    group by shipment_id
)

-- What dispatch saw happen. The newest hand-over tells the result, the first good one the delivery.
select
    times.*,
    handovers.stop_id,
    handovers.result_status as handover_result_status,
    handovers.result_reason as handover_result_reason
from times
left join handovers
    on times.shipment_id = handovers.shipment_id and handovers.newest_first = 1
