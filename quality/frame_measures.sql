-- The frame that the suite judges: what frame_scopes.sql made, and every measure. Grain: one row per candidate, in
-- the order given. Measures are differences in DECIMAL or seconds and are NULL when any part is unknown.
SELECT
    * EXCLUDE (minor_units),

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
FROM scopes
ORDER BY row_no
