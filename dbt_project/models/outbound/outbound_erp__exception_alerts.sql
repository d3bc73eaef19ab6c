with decisions as (
    select
        *,
        row_number() over (partition by business_id, revision order by sequence desc) as newest_first
    from {{ ref('stg_gate__exception_alert_decisions') }}
),

candidates as (
    select * from {{ ref('exception_alert_candidates') }}{{ of_these(ref('exception_alert_candidates'), 'decisions') }}
)

-- Only the latest verdict counts, and only for the very inputs it was given on.
select
    candidates.business_id,
    candidates.revision,
    decisions.decision_id,
    candidates.company_id,
    candidates.erp_connection as destination,
    'exception_alert' as operation,
    candidates.customer_id,
    candidates.order_no,
    candidates.shipment_no,
    candidates.exception_id,
    candidates.exception_code,
    candidates.exception_severity,
    candidates.exception_cause,
    candidates.exception_state,
    candidates.opened_at,
    candidates.opening_date,
    candidates.content_hash,
    candidates.input_hash,
    decisions.decided_at,
    candidates.changed_at
from decisions
inner join candidates
    on decisions.business_id = candidates.business_id
    and decisions.revision = candidates.revision
    and decisions.input_hash = candidates.input_hash
where decisions.newest_first = 1 and decisions.verdict = 'released'
