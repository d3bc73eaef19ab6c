{{ waits_for('touched_by_push') }}
with decisions as (
    select * from {{ ref('stg_gate__decisions') }}
)

select
    {{ surrogate_uuid("'waybill'", 'decision_id') }} as gate_decision_key,
    decision_id,
    business_id as shipment_id,
    shipment_no,
    order_no,
    company_id,
    customer_id,
    revision,
    sequence,
    verdict,
    codes,
    warnings,
    reasons,
    input_hash,
    content_hash,
    ruleset_version,
    policy_version,
    rules_approved_by,
    amount,
    currency,
    is_first_evaluation,
    decided_at,
    {{ own_envelope('decision_id', 'decided_at', 'run_id') }}
from decisions
