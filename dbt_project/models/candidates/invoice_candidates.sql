{# What would be billed, and to whom. #}
{% set billed = [
    'business_id', 'revision', 'company_id', 'customer_id', 'order_no', 'shipment_no', 'po_no', 'currency',
    'payment_terms', 'net_total_amount', 'tax_total_amount', 'grand_total_amount', 'lines_json',
] %}
{# Every input of the decision. Left out is what moves by itself: as_of and what follows from it
   (posting_date, fx_rate_age_days; the rate's date stands in), and the customer's balance, which moves with
   every other invoice and only warns: whether it is above the limit stands in. #}
{% set judged = billed + [
    'pod_id', 'erp_connection', 'line_count', 'live_pod_count', 'conflicting_pod_count', 'superseded_pod_count',
    'is_pod_superseded', 'pod_voided_at', 'pod_outcome', 'handover_result_status', 'pod_order_no',
    'pod_captured_at', 'pod_received_at', 'departed_at', 'delivered_at', 'requires_signature', 'requires_photo',
    'sealed_signature_count', 'sealed_photo_count', 'evidence_hash_mismatch_count',
    'cast(round(pod_distance_m) as bigint)', 'has_open_damage', 'time_quality', 'delivered_quantity',
    'over_delivered_line_count', 'over_ordered_line_count', 'short_line_count', 'allows_partial',
    'has_line_quantities', 'unconvertible_uom_count', 'foreign_item_count', 'max_price_difference_amount',
    'max_price_difference_percent', 'unevidenced_charge_count', 'billing_currency', 'is_known_currency',
    'company_currency', 'fx_rate', 'fx_rate_date', 'missing_tax_code_count', 'tax_rate_mismatch_count', 'vat_id',
    'is_vat_id_valid', 'lines_net_amount', 'lines_tax_amount', 'order_total_difference_amount',
    'excess_decimals_count', 'external_invoice_id', 'possible_duplicate_invoice_id', 'is_self_billed',
    'delivery_date', 'books_closed_until', 'order_status', 'order_total_amount', 'order_invoiced_amount',
    'customer_is_active', 'is_on_billing_hold', 'credit_limit_amount',
    'customer_open_amount > credit_limit_amount', 'bill_to_address', 'requires_po', 'missing_income_account_count',
] %}
{% set counts = [
    'line_count', 'live_pod_count', 'conflicting_pod_count', 'superseded_pod_count', 'sealed_signature_count',
    'sealed_photo_count', 'evidence_hash_mismatch_count', 'over_delivered_line_count', 'over_ordered_line_count',
    'short_line_count', 'unconvertible_uom_count', 'foreign_item_count', 'unevidenced_charge_count',
    'fx_rate_age_days', 'missing_tax_code_count', 'tax_rate_mismatch_count', 'excess_decimals_count',
    'missing_income_account_count',
] %}
{% set amounts = [
    'net_total_amount', 'tax_total_amount', 'grand_total_amount', 'delivered_quantity',
    'max_price_difference_amount', 'lines_net_amount', 'lines_tax_amount', 'order_total_difference_amount',
    'order_total_amount', 'order_invoiced_amount', 'credit_limit_amount', 'customer_open_amount',
] %}
with facts as (
    select * from {{ ref('int_candidate_facts') }}
)

select
    business_id, cast(revision as bigint) as revision, shipment_no, order_no, company_id, customer_id, pod_id,
    erp_connection, as_of,
    {{ hash_of(as_texts(judged)) }} as input_hash,
    {{ hash_of(as_texts(billed)) }} as content_hash,
    currency, lines_json, po_no, payment_terms, bill_to_address, requires_po,
    {% for name in amounts -%}
    cast({{ name }} as decimal(18, 4)) as {{ name }},
    {% endfor -%}
    {% for name in counts -%}
    cast({{ name }} as bigint) as {{ name }},
    {% endfor -%}
    is_pod_superseded, pod_voided_at, pod_outcome, handover_result_status, pod_order_no, pod_captured_at,
    pod_received_at, departed_at, delivered_at, requires_signature, requires_photo, pod_distance_m,
    has_open_damage, time_quality, allows_partial, has_line_quantities, max_price_difference_percent,
    billing_currency, is_known_currency, company_currency, fx_rate, vat_id, is_vat_id_valid,
    external_invoice_id, possible_duplicate_invoice_id, is_self_billed, posting_date, delivery_date,
    books_closed_until, order_status, customer_is_active, is_on_billing_hold
from facts
