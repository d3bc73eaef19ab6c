with amounts as (
    select
        candidates.shipment_id,
        coalesce(totals.line_count, 0) as line_count,
        coalesce(totals.lines_json, '[]') as lines_json,
        coalesce(totals.net_amount, 0) as lines_net_amount,
        coalesce(totals.tax_amount, 0) as lines_tax_amount,
        -- Nothing is said about amounts of an order that is not known, or that do not fit.
        candidates.order_id is not null and coalesce(totals.is_complete, true) as is_known,
        coalesce(totals.max_price_difference_amount, 0) as max_price_difference_amount,
        coalesce(totals.max_price_difference_percent, 0) as max_price_difference_percent,
        coalesce(totals.missing_tax_code_count, 0) as missing_tax_code_count,
        coalesce(totals.tax_rate_mismatch_count, 0) as tax_rate_mismatch_count,
        coalesce(totals.missing_income_account_count, 0) as missing_income_account_count
    from {{ ref('int_candidate_shipments') }} as candidates
    left join {{ ref('int_candidate_totals') }} as totals on candidates.shipment_id = totals.shipment_id
)

-- Everything about a candidate side by side; only the hashes are missing.
select
    evidence.shipment_id as business_id, evidence.revision, evidence.shipment_no, evidence.order_no,
    evidence.company_id, evidence.customer_id, evidence.live_pod_id as pod_id,
    evidence.order_connection as erp_connection, {{ as_of() }} as as_of, evidence.currency,
    case when amounts.is_known then amounts.lines_net_amount end as net_total_amount,
    case when amounts.is_known then amounts.lines_tax_amount end as tax_total_amount,
    case when amounts.is_known then cast(amounts.lines_net_amount + amounts.lines_tax_amount as decimal(18, 4)) end
        as grand_total_amount,
    amounts.line_count, amounts.lines_json,
    evidence.live_pod_count, evidence.conflicting_pod_count, evidence.superseded_pod_count,
    evidence.is_pod_superseded, evidence.pod_voided_at, evidence.pod_outcome,
    -- What dispatch cancelled and somebody delivered all the same is for a person to clear.
    case when evidence.status = 'cancelled' or evidence.cancelled_at is not null then 'cancelled'
        else evidence.handover_result_status end as handover_result_status,
    evidence.pod_order_no, evidence.pod_captured_at, evidence.pod_received_at, evidence.departed_at,
    evidence.delivered_at, parties.requires_signature, parties.requires_photo,
    evidence.sealed_signature_count, evidence.sealed_photo_count, evidence.evidence_hash_mismatch_count,
    evidence.pod_distance_m, evidence.has_open_damage, evidence.time_quality,
    quantities.delivered_quantity, quantities.over_delivered_line_count, quantities.over_ordered_line_count,
    quantities.short_line_count, parties.allows_partial, evidence.has_line_quantities,
    quantities.unconvertible_uom_count, quantities.foreign_item_count,
    amounts.max_price_difference_amount,
    cast(amounts.max_price_difference_percent as decimal(18, 8)) as max_price_difference_percent,
    evidence.unevidenced_charge_count, parties.billing_currency, parties.is_known_currency,
    parties.company_currency, parties.fx_rate,
    {{ days_between('parties.fx_rate_date', local_date(as_of(), 'parties.company_time_zone')) }} as fx_rate_age_days,
    parties.fx_rate_date, amounts.missing_tax_code_count, amounts.tax_rate_mismatch_count,
    parties.vat_id, parties.is_vat_id_valid, amounts.lines_net_amount, amounts.lines_tax_amount,
    balances.order_total_difference_amount, balances.excess_decimals_count,
    balances.external_invoice_id, balances.possible_duplicate_invoice_id, parties.is_self_billed,
    {{ local_date(as_of(), 'parties.company_time_zone') }} as posting_date, balances.delivery_date,
    parties.books_closed_until, parties.order_status, balances.order_total_amount,
    balances.order_invoiced_amount, parties.customer_is_active, parties.is_on_billing_hold,
    parties.credit_limit_amount,
    cast(balances.other_open_amount + amounts.lines_net_amount + amounts.lines_tax_amount as decimal(18, 4))
        as customer_open_amount,
    parties.bill_to_address, parties.payment_terms, parties.requires_po, parties.po_no,
    amounts.missing_income_account_count
from {{ ref('int_candidate_evidence') }} as evidence
inner join amounts on evidence.shipment_id = amounts.shipment_id
inner join {{ ref('int_candidate_parties') }} as parties on evidence.shipment_id = parties.shipment_id
inner join {{ ref('int_candidate_quantities') }} as quantities on evidence.shipment_id = quantities.shipment_id
inner join {{ ref('int_candidate_balances') }} as balances on evidence.shipment_id = balances.shipment_id
