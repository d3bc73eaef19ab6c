-- What Waybill itself has noted about a shipment. Its tables are read whole each time, so that what is new shows only
-- beside what was there.
select {{ node('shipment', 'shipment_no') }} as node, 'decision|' || decision_id as content
from {{ ref('stg_gate__decisions') }}
union
select {{ node('shipment', 'shipment_no') }},
    'effect|' || idempotency_key || '|' || state || '|' || cast(attempt_count as varchar) || '|' || cast(updated_at as varchar)
from {{ ref('stg_ledger__outbox') }}
union
select {{ node('shipment', 'shipment_no') }}, 'receipt|' || idempotency_key || '|' || cast(read_back_at as varchar)
from {{ ref('stg_ledger__receipts') }}
