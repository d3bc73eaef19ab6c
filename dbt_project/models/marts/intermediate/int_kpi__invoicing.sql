{% set reasons = {
    'default': "'never corrected'", 'cancelled': "'not cancelled'",
    'credited_in_full': "'not credited in full'", 'credited_in_part': "'not credited in part'",
} %}
with shipments as (
    select * from {{ ref('fct_shipments') }}
),

candidates as (
    select business_id from {{ ref('invoice_candidates') }}
),

-- What was judged counts, also when a later event ended its being a candidate.
judged as (
    select shipments.*, shipments.is_first_pass is not null or candidates.business_id is not null as is_candidate
    from shipments
    left join candidates on shipments.shipment_id = candidates.business_id
),

unbilled as (
    select
        *,
        {{ epoch_s('as_of') }} - {{ epoch_s('coalesce(pod_received_at, delivered_at, as_of)') }} as age_s
    from shipments
    where is_unbilled
),

invoices as (
    select
        invoices.invoice_key as invoice_id, invoices.invoice_id as invoice_no, invoices.company_id,
        invoices.customer_id, invoices.erp_connection, shipments.depot_id, shipments.region, shipments.carrier_id, invoices.made_by,
        invoices.posted_at, {{ as_of() }} as as_of, coalesce(shipments.origin_zone, companies.time_zone, 'UTC') as origin_zone,
        case
            when invoices.status = 'cancelled' then 'cancelled'
            when invoices.first_credited_at is null then null
            when invoices.credited_amount >= invoices.grand_total_amount then 'credited_in_full'
            else 'credited_in_part'
        end as reason
    from {{ ref('fct_invoices') }} as invoices
    left join {{ ref('int_invoice_shipments') }} as bills
        on invoices.invoice_key = bills.invoice_key and bills.is_named
    left join shipments on bills.shipment_id = shipments.shipment_id
    -- One that names no shipment belongs to the day at the company.
    left join {{ ref('canonical_companies') }} as companies
        on invoices.erp_connection = companies.source_system and invoices.company_id = companies.company_id
    where not invoices.is_credit_note and invoices.posted_at is not null
)

{{ rate_facts('first_pass_gate_rate', 'default', 'is_candidate', "'no candidate'", 'is_first_pass is not null',
    "'not judged yet'", 'is_first_pass', "'blocked at its first evaluation'", 'first_decided_at', 'origin_zone') }}
from judged
{% for variant, why_not in reasons.items() -%}
union all
{{ rate_facts('invoice_error_rate', variant, 'true', 'null', 'true', 'null',
    'reason is not null' if variant == 'default' else "reason = '" ~ variant ~ "'", why_not, 'posted_at',
    'origin_zone', entity='invoice', connection='erp_connection') }}
from invoices
{% endfor -%}
union all
select
    'unbilled_delivered_amount' as metric, 'default' as variant, 'shipment' as entity_type,
    shipment_id as entity_id, shipment_no as entity_no,
    case when candidate_amount is null or currency is null then 'excluded' else 'in' end as standing,
    case
        when candidate_amount is null or currency is null then 'its amount is not known'
        else 'delivered and not posted'
    end as why,
    {{ local_date('as_of', 'origin_zone') }} as period_date,
    cast(null as double) as duration_s, candidate_amount as amount, cast(null as bigint) as numerator,
    cast(null as bigint) as denominator,
    'sum' as aggregation, 'amount' as unit, currency,
    {{ age_bucket('age_s') }} as age_days,
    {{ kpi_dimensions() }}
from unbilled
