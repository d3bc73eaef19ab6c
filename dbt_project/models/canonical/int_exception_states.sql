{% set of_record = "partition by source_system, exception_id" %}
with steps as (
    select
        *,
        max(step_nr) over ({{ of_record }}) as last_nr,
        max(case when consignment_id is not null then step_nr end) over ({{ of_record }}) as naming_nr
    from {{ ref('int_exception_steps') }}
),

states as (
    select
        source_system,
        exception_id,
        max(last_nr) as change_count,
        max(case when step_nr = naming_nr then consignment_id end) as shipment_no,
        max(case when step_nr = last_nr then code end) as code,
        max(case when step_nr = last_nr then severity end) as severity,
        max(case when step_nr = last_nr then cause_class end) as cause_class,
        max(case when step_nr = last_nr then state end) as state,
        min(case when state <> 'resolved' then occurred_at end) as opened_at,
        max(occurred_at) as changed_at
    from steps
    group by source_system, exception_id
)

-- One that was never open, as far as anybody has told, is none yet.
select
    {{ surrogate_uuid('states.source_system', 'states.exception_id') }} as record_id,
    states.source_system, states.exception_id, states.change_count, shipment_numbers.shipment_id, states.shipment_no,
    states.code, states.severity, states.cause_class,
    case when states.state = 'paused_for_customer' then 'paused' else states.state end as state,
    states.opened_at, states.changed_at
from states
left join {{ ref('int_shipment_numbers') }} as shipment_numbers
    on states.shipment_no = shipment_numbers.shipment_no
where states.opened_at is not null
