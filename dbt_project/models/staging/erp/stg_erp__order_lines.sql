with source as (
    {{ all_versions(source('raw_erp', 'order_lines')) }}
),

renamed as (
    select
        -- ids
        order_line_id,
        order_id,
        line_no,
        item_id,

        -- texts
        uom,
        tax_code,

        -- numbers
        quantity,
        unit_price_amount,
        net_amount,
        contract_price_amount,
        tax_rate_percent,

        -- booleans
        is_return,

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
