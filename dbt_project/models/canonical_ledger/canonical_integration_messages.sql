{{ waits_for('touched_by_push') }}
with messages as (
    select * from {{ ref('int_outbound_messages') }}
    union all
    select * from {{ ref('int_inbound_messages') }}
),

named as (
    select
        *,
        direction || '|' || resource || '|' || coalesce(business_id, run_id, '') || '|' || coalesce(version, '')
            as message_no
    from messages
),

connections as (
    select * from {{ ref('stg_ledger__connections') }}
)

select
    {{ surrogate_uuid('named.connection', 'named.message_no') }} as message_key,
    named.direction, named.connection, connections.kind, connections.criticality, named.resource,
    named.business_id, named.version, named.order_no, named.shipment_no,
    named.outcome, named.state, named.failure_class, named.reason,
    cast(named.message_count as bigint) as message_count,
    cast(named.attempt_count as bigint) as attempt_count,
    cast(named.failed_attempt_count as bigint) as failed_attempt_count,
    named.first_seen_at, named.last_seen_at, named.trace_id,
    {{ own_envelope('named.message_no', 'named.last_seen_at', 'named.run_id') }}
from named
left join connections
    on named.connection = connections.connection
