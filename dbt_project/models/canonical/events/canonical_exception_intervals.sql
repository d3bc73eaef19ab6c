with records as (
    select * from {{ ref('int_exception_records') }}
),

steps as (
    select records.exception_key, steps.state, steps.occurred_at, steps.next_at
    from {{ ref('int_exception_steps') }} as steps
    inner join records
        on steps.source_system = records.source_system and steps.exception_id = records.exception_id
    where steps.state <> 'resolved'
),

changes as (
    select exception_key, state, occurred_at as changed_at, 1 as change from steps
    union all
    select exception_key, state, next_at as changed_at, -1 as change from steps
    where next_at is not null
),

moments as (
    select
        exception_key,
        changed_at,
        sum(case when state = 'open' then change else 0 end) as open_change,
        sum(case when state = 'paused' then change else 0 end) as paused_change,
        sum(case when state = 'paused_for_customer' then change else 0 end) as customer_change
    from changes
    group by exception_key, changed_at
),

-- Of several records of one case the one that is worked on counts: it waits for the customer when all do.
states as (
    select
        exception_key,
        changed_at as started_at,
        lead(changed_at) over (partition by exception_key order by changed_at) as ended_at,
        case
            when sum(open_change) over (partition by exception_key order by changed_at) > 0 then 'open'
            when sum(paused_change) over (partition by exception_key order by changed_at) > 0 then 'paused'
            when sum(customer_change) over (partition by exception_key order by changed_at) > 0
                then 'paused_for_customer'
            else 'resolved'
        end as state
    from moments
),

turns as (
    select
        *,
        case
            when state = lag(state) over (partition by exception_key order by started_at) then 0 else 1
        end as is_turn
    from states
),

numbered as (
    select *, sum(is_turn) over (partition by exception_key order by started_at) as interval_nr
    from turns
)

select
    exception_key, interval_nr, state, min(started_at) as started_at,
    case when count(ended_at) = count(*) then max(ended_at) end as ended_at
from numbered
group by exception_key, interval_nr, state
