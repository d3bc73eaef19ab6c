{# What would be confirmed, and to whom. #}
{% set confirmed = ['business_id', 'revision', 'company_id', 'customer_id', 'order_no', 'shipment_no', 'lines_json'] %}
{# What the candidate's facts tell of proof and goods, as they do of an invoice. #}
{% set told = [
    'pod_id', 'erp_connection', 'live_pod_count', 'conflicting_pod_count', 'superseded_pod_count', 'is_pod_superseded',
    'pod_voided_at', 'pod_outcome', 'handover_result_status', 'pod_order_no', 'pod_captured_at', 'pod_received_at',
    'departed_at', 'delivered_at', 'requires_signature', 'requires_photo', 'sealed_signature_count',
    'sealed_photo_count', 'evidence_hash_mismatch_count', 'has_open_damage', 'time_quality', 'delivered_quantity',
    'over_delivered_line_count', 'over_ordered_line_count', 'short_line_count', 'unconvertible_uom_count',
    'foreign_item_count', 'delivery_date', 'books_closed_until', 'order_status', 'customer_is_active',
    'is_on_billing_hold',
] %}
{# Every input of the decision. Left out is what moves by itself: as_of and the posting date that follows from it. #}
{% set judged = confirmed + ['line_count', 'cast(round(pod_distance_m) as bigint)'] + told %}
{% set counts = [
    'line_count', 'live_pod_count', 'conflicting_pod_count', 'superseded_pod_count', 'sealed_signature_count',
    'sealed_photo_count', 'evidence_hash_mismatch_count', 'over_delivered_line_count', 'over_ordered_line_count',
    'short_line_count', 'unconvertible_uom_count', 'foreign_item_count',
] %}
with lines as (
    select * from {{ ref('int_confirmed_lines') }}
),

facts as (
    select * from {{ ref('int_candidate_facts') }}
),

deliveries as (
    select
        facts.business_id, 1 as revision, facts.company_id, facts.customer_id, facts.order_no, facts.shipment_no, facts.as_of,
        facts.posting_date, facts.pod_distance_m,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.lines_json, '[]') as lines_json,
        {%- for name in told %}
        facts.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from facts
    left join lines on facts.business_id = lines.shipment_id
)

select
    business_id, cast(revision as bigint) as revision, shipment_no, order_no, company_id, customer_id, pod_id,
    erp_connection, as_of,
    {{ hash_of(as_texts(judged)) }} as input_hash,
    {{ hash_of(as_texts(confirmed)) }} as content_hash,
    lines_json, cast(delivered_quantity as decimal(18, 4)) as delivered_quantity,
    {% for name in counts -%}
    cast({{ name }} as bigint) as {{ name }},
    {% endfor -%}
    is_pod_superseded, pod_voided_at, pod_outcome, handover_result_status, pod_order_no, pod_captured_at,
    pod_received_at, departed_at, delivered_at, requires_signature, requires_photo, pod_distance_m,
    has_open_damage, time_quality, posting_date, delivery_date, books_closed_until, order_status,
    customer_is_active, is_on_billing_hold
from deliveries
