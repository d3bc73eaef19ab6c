{% set in_turn = "partition by case_group order by opened_at, source_system, exception_id" %}
with steps as (
    select
        *,
        row_number() over (partition by source_system, exception_id order by step_nr desc) as newest_first
    from {{ ref('int_exception_steps') }}
),

-- From its first opening to its last end a record is one, also where it was resolved and opened again.
spans as (
    select
        source_system,
        exception_id,
        max(case when newest_first = 1 then consignment_id end) as consignment_id,
        max(case when newest_first = 1 then code end) as code,
        min(case when state <> 'resolved' then occurred_at end) as opened_at,
        max(case when newest_first = 1 and state = 'resolved' then 1 else 0 end) = 1 as is_closed,
        max(case when state <> 'resolved' then next_at end) as last_ended_at
    from steps
    group by source_system, exception_id
),

grouped as (
    select
        spans.*,
        shipment_numbers.shipment_id,
        coalesce(
            shipment_numbers.shipment_id, {{ surrogate_uuid('source_system', 'consignment_id') }},
            {{ surrogate_uuid('source_system', 'exception_id') }}
        ) || '|' || spans.code as case_group,
        case when is_closed then last_ended_at else {{ instant("'2100-01-01 00:00:00+00'") }} end
            as closed_at
    from spans
    left join {{ ref('int_shipment_numbers') }} as shipment_numbers
        on spans.consignment_id = shipment_numbers.shipment_no
    where spans.opened_at is not null
),

-- The same shipment and code while a case is open belongs to that case.
starts as (
    select
        *,
        case
            when opened_at < max(closed_at) over ({{ in_turn }} rows between unbounded preceding and 1 preceding)
                then 0
            else 1
        end as is_new_case
    from grouped
),

cases as (
    select *, sum(is_new_case) over ({{ in_turn }}) as case_nr
    from starts
)

select
    source_system, exception_id, shipment_id, consignment_id, code, opened_at, is_closed,
    first_value({{ surrogate_uuid('source_system', 'exception_id') }}) over (
        partition by case_group, case_nr order by opened_at, source_system, exception_id
    ) as exception_key
from cases
