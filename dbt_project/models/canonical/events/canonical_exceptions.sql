with records as (
    select * from {{ ref('int_exception_records') }}
),

steps as (
    select
        records.exception_key, records.shipment_id, steps.*,
        row_number() over (
            partition by records.exception_key
            order by records.opened_at, steps.source_system, steps.exception_id, steps.step_nr
        ) as nth
    from {{ ref('int_exception_steps') }} as steps
    inner join records
        on steps.source_system = records.source_system and steps.exception_id = records.exception_id
),

intervals as (
    select
        exception_key,
        min(started_at) as opened_at,
        max(case when state = 'resolved' and ended_at is null then started_at end) as resolved_at,
        sum(case when state = 'resolved' and ended_at is not null then 1 else 0 end) as reopen_count,
        sum(
            case when state in ('open', 'paused') then {{ epoch_s('ended_at') }} - {{ epoch_s('started_at') }} end
        ) as open_s,
        sum(
            case when state = 'paused_for_customer' then {{ epoch_s('ended_at') }} - {{ epoch_s('started_at') }} end
        ) as paused_for_customer_s
    from {{ ref('canonical_exception_intervals') }}
    group by exception_key
),

cases as (
    select
        exception_key,
        max(case when nth = 1 then exception_id end) as exception_id,
        max(shipment_id) as shipment_id,
        max(consignment_id) as shipment_no,
        max(code) as code,
        max(case severity when 'critical' then 4 when 'high' then 3 when 'medium' then 2 else 1 end) as severity_rank,
        max(case when nth = 1 then cause_class end) as cause_class,
        min(detected_at) as detected_at,
        count(distinct source_system || '|' || exception_id) as record_count,
        max(case when nth = 1 then source_system end) as source_system,
        max(source_version) as source_version,
        max(ingested_at) as ingested_at,
        max(run_id) as run_id,
        max(contract_version) as contract_version
    from steps
    group by exception_key
)

select
    cases.exception_key, cases.exception_id, cases.shipment_id, cases.shipment_no, cases.code,
    case cases.severity_rank when 4 then 'critical' when 3 then 'high' when 2 then 'medium' else 'low' end as severity,
    cases.cause_class, cases.record_count, intervals.reopen_count,
    intervals.resolved_at is null as is_open,
    intervals.opened_at, cases.detected_at, intervals.resolved_at,
    case when intervals.resolved_at is not null then coalesce(intervals.open_s, 0) end as open_s,
    case when intervals.resolved_at is not null then coalesce(intervals.paused_for_customer_s, 0) end
        as paused_for_customer_s,
    cases.source_system, cases.exception_id as source_id, cases.source_version, cases.ingested_at,
    cases.run_id, cases.contract_version
from cases
inner join intervals on cases.exception_key = intervals.exception_key
