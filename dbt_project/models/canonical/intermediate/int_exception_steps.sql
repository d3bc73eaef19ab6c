{% set in_order = "partition by source_system, exception_id order by occurred_at, change_rank, event_id" %}
{% set so_far = in_order ~ " rows between unbounded preceding and current row" %}
with events as (
    select
        *,
        -- of changes at one instant: what opens comes first, what opens again comes last
        case change when 'opened' then 1 when 'paused' then 2 when 'resumed' then 3 when 'resolved' then 4 else 5 end
            as change_rank
    from {{ ref('stg_crm__exception_events') }}
),

numbered as (
    select
        *,
        row_number() over ({{ in_order }}) as step_nr,
        lead(occurred_at) over ({{ in_order }}) as next_at
    from events
),

-- How the record stands after each change follows from the newest change of each kind so far.
newest as (
    select
        *,
        coalesce(max(case when change in ('opened', 'reopened') then step_nr end) over ({{ so_far }}), 0) as opened_nr,
        coalesce(max(case when change = 'resolved' then step_nr end) over ({{ so_far }}), 0) as resolved_nr,
        coalesce(max(case when change = 'paused' then step_nr end) over ({{ so_far }}), 0) as paused_nr,
        coalesce(max(case when change in ('resumed', 'reopened', 'resolved') then step_nr end) over ({{ so_far }}), 0)
            as unpaused_nr,
        coalesce(max(case when change = 'paused' and is_customer_pause then step_nr end) over ({{ so_far }}), 0)
            as customer_nr
    from numbered
)

select
    source_system, exception_id, step_nr, event_id, change, consignment_id, code, severity, cause_class,
    occurred_at, detected_at, next_at,
    case
        when resolved_nr > opened_nr then 'resolved'
        when paused_nr <= unpaused_nr then 'open'
        when paused_nr = customer_nr then 'paused_for_customer'
        else 'paused'
    end as state,
    source_version, ingested_at, run_id, contract_version
from newest
