with verdicts as (
    select * from {{ ref('int_shipment_verdicts') }}
),

candidates as (
    select * from {{ ref('invoice_candidates') }}
),

effects as (
    select * from {{ ref('stg_ledger__outbox') }}
    where operation = 'invoice' and revision = 1
),

receipts as (
    select * from {{ ref('stg_ledger__receipts') }}
)

select
    verdicts.shipment_id as business_id,
    verdicts.shipment_no, verdicts.order_no, verdicts.company_id, verdicts.customer_id,
    coalesce(effects.destination, candidates.erp_connection) as erp_connection, candidates.pod_id, candidates.pod_received_at,
    verdicts.decision_id, verdicts.gate_verdict, verdicts.gate_codes, verdicts.gate_warnings,
    verdicts.gate_reasons, verdicts.ruleset_version, verdicts.decided_at, verdicts.gate_released_at,
    verdicts.is_first_pass,
    verdicts.currency, candidates.net_total_amount, candidates.tax_total_amount,
    coalesce(candidates.grand_total_amount, verdicts.amount) as grand_total_amount,
    effects.idempotency_key,
    coalesce(
        effects.state, case when verdicts.gate_verdict = 'released' then 'RELEASED' else 'BLOCKED' end
    ) as push_state, effects.attempt_count,
    effects.last_error,
    receipts.erp_id, receipts.posted_at, receipts.grand_total_amount as posted_grand_total_amount,
    {{ epoch_s('receipts.posted_at') }} - {{ epoch_s('verdicts.gate_released_at') }} as released_to_posted_s
-- What was judged stays here, also when a later event (a voided proof) ends its being a candidate.
from verdicts
left join candidates on verdicts.shipment_id = candidates.business_id
left join effects on verdicts.shipment_id = effects.business_id
left join receipts on effects.idempotency_key = receipts.idempotency_key
