with connections as (
    select * from {{ ref('stg_ledger__connections') }}
),

first_answers as (
    select connection, min(observed_at) as first_answered_at
    from {{ ref('stg_ledger__observations') }}
    where ok
    group by connection
),

counts as (
    select
        connection,
        min(case when loaded > 0 then counted_at end) as first_accepted_at,
        max(case when loaded > 0 then counted_at end) as last_accepted_at
    from {{ ref('stg_ledger__ingest_counts') }}
    group by connection
)

select
    {{ surrogate_uuid("'waybill'", 'connections.connection') }} as partner_key,
    connections.connection as partner_id,
    connections.kind,
    connections.adapter,
    connections.owner,
    connections.criticality,
    connections.lifecycle,
    connections.freshness_s,
    connections.is_destination,
    connections.requested_at,
    first_answers.first_answered_at,
    counts.first_accepted_at,
    counts.last_accepted_at,
    {{ own_envelope('connections.connection', 'connections.requested_at') }}
from connections
left join first_answers
    on connections.connection = first_answers.connection
left join counts
    on connections.connection = counts.connection
