{%- set connection = "coalesce(connections.kind || '|' || connections.criticality, '')" %}
{%- set effect = ["effects.idempotency_key", "effects.state", "cast(effects.updated_at as string)",
    "cast(coalesce(attempts.begun_count, 0) as string)", "cast(coalesce(attempts.ended_count, 0) as string)", connection] %}
with attempts as (
    select idempotency_key, count(*) as begun_count, count(ended_at) as ended_count
    from {{ ref('stg_ledger__push_attempts') }}
    group by idempotency_key
)

-- What Waybill itself has noted about a shipment. Its tables are read whole each time, so that what is new shows only
-- beside what was there: as numbers, which are compared faster than texts.
select {{ node('shipment', 'shipment_no') }} as node, {{ node('decision', 'decision_id') }} as content
from {{ ref('stg_gate__decisions') }}
union all
select {{ node('shipment', 'effects.shipment_no') }}, {{ node('effect', effect | join(" || '|' || ")) }}
from {{ ref('stg_ledger__outbox') }} as effects
left join attempts on effects.idempotency_key = attempts.idempotency_key
left join {{ ref('stg_ledger__connections') }} as connections on effects.destination = connections.connection
union all
select {{ node('shipment', 'shipment_no') }}, {{ node('receipt', "idempotency_key || '|' || cast(read_back_at as string)") }}
from {{ ref('stg_ledger__receipts') }}
