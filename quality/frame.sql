-- The frame that the suite judges. Grain: one row per candidate, in the order given.
-- Measures are differences in DECIMAL or seconds and are NULL when any part is unknown; a scope (has_, is_)
-- is TRUE or FALSE, never NULL, and names the rows to which a rule applies.
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
    * EXCLUDE (minor_units),

    -- scopes
    pod_voided_at IS NULL AND NOT coalesce(is_pod_superseded, FALSE) AS is_pod_unaccounted,
    has_live_pod AND pod_order_no IS NOT NULL AND order_no IS NOT NULL AS is_pod_naming_order,
    has_good_pod AND has_customer AS is_document_due,
    is_billable AND has_customer AND allows_partial IS DISTINCT FROM TRUE AS is_partial_refused,
    is_currency_usable AND has_customer AND billing_currency IS NOT NULL AS is_currency_prescribed,
    is_currency_usable AND currency IS DISTINCT FROM company_currency AS is_fx_needed,
    is_currency_usable AND is_billable AS is_limited,
    has_customer AND requires_po IS DISTINCT FROM FALSE AS is_po_due,
    posted_content_hash IS NOT NULL AS is_posted,

    -- evidence
    epoch(pod_captured_at) - epoch(departed_at) AS captured_after_departure_s,
    epoch(pod_captured_at) - epoch(as_of) - $pod_future_s AS captured_beyond_tolerance_s,
    pod_distance_m - $pod_distance_m AS distance_beyond_tolerance_m,
    CASE requires_signature WHEN TRUE THEN (sealed_signature_count = 0)::INT WHEN FALSE THEN 0 END
        + CASE requires_photo WHEN TRUE THEN (sealed_photo_count = 0)::INT WHEN FALSE THEN 0 END
        AS missing_document_count,

    -- money
    CASE
        WHEN max_price_difference_amount > $price_amount::DECIMAL(18, 4)
            AND max_price_difference_percent > $price_percent::DECIMAL(18, 8)
            THEN max_price_difference_amount
        WHEN max_price_difference_amount IS NOT NULL AND max_price_difference_percent IS NOT NULL THEN 0
    END AS price_excess_amount,
    fx_rate_age_days - $fx_rate_age_days AS fx_days_beyond_tolerance,
    abs(net_total_amount - lines_net_amount)
        + abs(tax_total_amount - lines_tax_amount)
        + abs(grand_total_amount - net_total_amount - tax_total_amount) AS totals_difference_amount,
    CASE
        WHEN order_total_difference_amount > $order_rounding_amount::DECIMAL(18, 4)
            THEN order_total_difference_amount
        WHEN order_total_difference_amount IS NOT NULL THEN 0
    END AS order_total_excess_amount,
    CASE
        WHEN order_total_difference_amount <= $order_rounding_amount::DECIMAL(18, 4)
            THEN order_total_difference_amount
        WHEN order_total_difference_amount IS NOT NULL THEN 0
    END AS order_rounding_amount,
    excess_decimals_count
        + list_sum([
            CASE WHEN minor_units = 0 THEN (round(amount, 0) <> amount)::INT ELSE (round(amount, 2) <> amount)::INT END
            FOR amount IN [net_total_amount, tax_total_amount, grand_total_amount] IF amount IS NOT NULL
        ] || [0]) AS excess_decimals_total,

    -- ledger
    date_diff('day', books_closed_until, posting_date) AS days_after_closing,
    abs(date_diff('month', delivery_date, posting_date)) AS months_apart,
    CASE WHEN order_total_amount > 0 THEN order_total_amount - order_invoiced_amount END
        AS order_uninvoiced_amount,
    credit_limit_amount - customer_open_amount AS credit_left_amount,

    -- control
    grand_total_amount - invoice_limit_amount AS value_over_limit_amount,
    greatest(batch_count - batch_count_limit, 0)
        + (coalesce(batch_amount > batch_amount_limit, FALSE))::INT AS batch_excess_count
FROM billable
ORDER BY row_no
