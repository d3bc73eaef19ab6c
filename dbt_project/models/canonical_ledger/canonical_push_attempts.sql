{{ waits_for('touched_by_push') }}
with effects as (
    select * from {{ ref('stg_ledger__outbox') }}
),

attempts as (
    select * from {{ ref('stg_ledger__push_attempts') }}
    {%- if builds_on() %}
    -- One whose effect is not known yet is of no shipment.
    where idempotency_key in (select idempotency_key from effects)
        or idempotency_key not in (select idempotency_key from {{ everything_of('stg_ledger__outbox') }})
    {%- endif %}
)

select
    {{ surrogate_uuid("'waybill'", "attempts.idempotency_key || '|' || cast(attempts.attempt_no as string)") }}
        as push_attempt_key,
    attempts.idempotency_key,
    attempts.attempt_no,
    effects.destination,
    effects.operation,
    effects.business_id as shipment_id,
    effects.shipment_no,
    effects.revision,
    effects.payload_hash,
    attempts.outcome,
    attempts.http_status,
    attempts.detail,
    attempts.erp_id,
    attempts.started_at,
    attempts.ended_at,
    {{ own_envelope('attempts.attempt_id', 'coalesce(attempts.ended_at, attempts.started_at)') }}
from attempts
left join effects
    on attempts.idempotency_key = effects.idempotency_key
