with effects as (
    select * from {{ ref('stg_ledger__outbox') }}
),

attempts as (
    select
        idempotency_key,
        count(*) as attempt_count,
        sum(case when ended_at is not null and coalesce(outcome, '') not in ('ACKED', 'RECONCILED') then 1 else 0 end)
            as failed_attempt_count
    from {{ ref('stg_ledger__push_attempts') }}
    group by idempotency_key
)

-- An effect on another system: what it is to bring about, and with what revision of it.
select
    'outbound' as direction,
    effects.destination as connection,
    effects.operation as resource,
    effects.business_id,
    cast(effects.revision as string) as version,
    cast(null as string) as order_no,
    effects.shipment_no,
    case
        when effects.state in ('ACKED', 'RECONCILED') then 'succeeded'
        when effects.state in ('DEAD', 'HELD', 'CONFLICT') then 'failed'
        when effects.state = 'CANCELLED' then 'cancelled'
        else 'pending'
    end as outcome,
    effects.state,
    -- refused for good by the other system, or not to be proven: nobody knows what it did
    case when effects.state = 'DEAD' then 'business' when effects.state in ('HELD', 'CONFLICT') then 'technical' end
        as failure_class,
    effects.last_error as reason,
    1 as message_count,
    coalesce(attempts.attempt_count, 0) as attempt_count,
    coalesce(attempts.failed_attempt_count, 0) as failed_attempt_count,
    effects.enqueued_at as first_seen_at,
    effects.updated_at as last_seen_at,
    effects.idempotency_key as trace_id,
    cast(null as string) as run_id
from effects
left join attempts
    on effects.idempotency_key = attempts.idempotency_key
