with decisions as (
    select
        *,
        row_number() over (partition by business_id, revision order by sequence desc) as newest_first
    from {{ ref('stg_gate__fulfilment_decisions') }}
),

candidates as (
    select * from {{ ref('fulfilment_candidates') }}{{ of_these(ref('fulfilment_candidates'), 'decisions') }}
)

-- Only the latest verdict counts, and only for the very inputs it was given on.
select
    candidates.business_id,
    candidates.revision,
    decisions.decision_id,
    candidates.company_id,
    candidates.erp_connection as destination,
    'fulfilment' as operation,
    candidates.customer_id,
    candidates.order_no,
    candidates.shipment_no,
    candidates.pod_id,
    candidates.delivered_at,
    candidates.delivery_date,
    candidates.posting_date,
    candidates.lines_json,
    candidates.content_hash,
    candidates.input_hash,
    decisions.decided_at,
    candidates.pod_received_at
from decisions
inner join candidates
    on decisions.business_id = candidates.business_id
    and decisions.revision = candidates.revision
    and decisions.input_hash = candidates.input_hash
where decisions.newest_first = 1 and decisions.verdict = 'released'
