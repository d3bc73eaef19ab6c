with decisions as (
    select
        *,
        row_number() over (partition by business_id, revision order by sequence desc) as newest_first,
        row_number() over (partition by business_id, revision order by sequence) as oldest_first
    from {{ ref('stg_gate__decisions') }}
),

effects as (
    select business_id, revision, max(decision_id) as decision_id
    from {{ ref('stg_ledger__outbox') }}
    where operation = 'invoice'
    group by business_id, revision
),

judged as (
    select decisions.*, effects.decision_id as pushed_decision_id
    from decisions
    left join effects
        on decisions.business_id = effects.business_id and decisions.revision = effects.revision
)

select
    business_id as shipment_id,
    max(case when newest_first = 1 then decision_id end) as decision_id,
    {%- for name in ['shipment_no', 'order_no', 'company_id', 'customer_id', 'amount', 'currency'] %}
    max(case when newest_first = 1 then {{ name }} end) as {{ name }},
    {%- endfor %}
    max(case when newest_first = 1 then verdict end) as gate_verdict,
    max(case when newest_first = 1 then codes end) as gate_codes,
    max(case when newest_first = 1 then warnings end) as gate_warnings,
    max(case when newest_first = 1 then reasons end) as gate_reasons,
    max(case when newest_first = 1 then ruleset_version end) as ruleset_version,
    max(case when newest_first = 1 then decided_at end) as decided_at,
    -- Released was it by the decision that was carried out, else by the newest one, if that releases.
    coalesce(
        max(case when decision_id = pushed_decision_id then decided_at end),
        max(case when newest_first = 1 and verdict = 'released' then decided_at end)
    ) as gate_released_at,
    max(case when oldest_first = 1 then decided_at end) as first_decided_at,
    max(case when oldest_first = 1 then verdict end) = 'released' as is_first_pass
from judged
where revision = 1
group by business_id
