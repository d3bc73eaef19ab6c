-- Candidates with their facts, and to which rows each rule applies. Grain: one row per candidate.
-- A scope (has_, is_) is TRUE or FALSE, never NULL.
WITH joined AS (
    SELECT
        candidates.* REPLACE (
            nullif(trim(bill_to_address), '') AS bill_to_address,
            nullif(trim(payment_terms), '') AS payment_terms,
            nullif(trim(po_no), '') AS po_no
        ),
        facts.* EXCLUDE (row_no)
    FROM facts
    JOIN candidates USING (row_no)
),

scoped AS (
    SELECT
        *,
        order_status IS NOT NULL AS has_order,
        order_status IS NOT NULL AND customer_is_active IS NOT NULL AS has_customer,
        coalesce(live_pod_count > 0, FALSE) AS has_live_pod,
        coalesce(live_pod_count > 0, FALSE)
            AND coalesce(pod_outcome, '') <> 'failed'
            AND coalesce(handover_result_status, '') NOT IN ('failed', 'cancelled') AS has_good_pod
    FROM joined
),

countable AS (
    -- What cannot be counted or has no price is told by its own rule, not once more by every total.
    SELECT
        *,
        has_good_pod AND has_order
            AND coalesce(unconvertible_uom_count, 0) = 0 AND coalesce(foreign_item_count, 0) = 0 AS is_countable
    FROM scoped
),

billable AS (
    SELECT
        *,
        is_countable AND coalesce(delivered_quantity > 0, TRUE) AS is_billable,
        has_order AND coalesce(is_known_currency, FALSE) AND currency IS NOT NULL AS is_currency_usable,
        CASE WHEN list_contains($zero_decimal, currency) THEN 0 ELSE 2 END AS minor_units
    FROM countable
)

SELECT
    *,
    pod_voided_at IS NULL AND NOT coalesce(is_pod_superseded, FALSE) AS is_pod_unaccounted,
    has_live_pod AND pod_order_no IS NOT NULL AND order_no IS NOT NULL AS is_pod_naming_order,
    has_good_pod AND has_customer AS is_document_due,
    is_billable AND has_customer AND allows_partial IS DISTINCT FROM TRUE AS is_partial_refused,
    is_currency_usable AND has_customer AND billing_currency IS NOT NULL AS is_currency_prescribed,
    is_currency_usable AND currency IS DISTINCT FROM company_currency AS is_fx_needed,
    is_currency_usable AND is_billable AS is_limited,
    has_customer AND requires_po IS DISTINCT FROM FALSE AS is_po_due,
    posted_content_hash IS NOT NULL AS is_posted
FROM billable
