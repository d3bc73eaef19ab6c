select
    message_key, direction, connection, kind, criticality, resource, business_id, version, order_no, shipment_no,
    outcome, state, failure_class, reason, message_count, attempt_count, failed_attempt_count,
    first_seen_at, last_seen_at, trace_id
from {{ ref('canonical_integration_messages') }}
