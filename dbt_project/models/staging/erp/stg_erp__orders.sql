with source as (
    {{ current_rows(source('raw_erp', 'orders')) }}
),

renamed as (
    select
        -- ids
        order_id,
        customer_id,
        company_id,
        bill_to_id,
        depot_id,
        po_no,

        -- texts
        currency,
        status,
        time_zone,
        promise_precision,
        time_quality,

        -- numbers
        fx_rate,
        net_total_amount,
        tax_total_amount,
        grand_total_amount,

        -- dates and times
        ordered_at,
        confirmed_at,
        credit_ok_at,
        cancelled_at,
        earliest_release_at,
        requested_delivery_at,
        requested_delivery_date,
        promised_from_at,
        first_promised_at,
        last_promised_at,
        fx_rate_date,

        -- where it came from
        source_system,
        source_id,
        source_version,
        ingested_at,
        run_id,
        contract_version
    from source
)

select * from renamed
