with source as (
    {{ all_versions(source('raw_erp', 'invoice_lines')) }}
),

renamed as (
    select
        -- ids
        invoice_line_id,
        invoice_id,
        order_line_id,
        item_id,

        -- texts
        uom,
        tax_code,

        -- numbers
        quantity,
        unit_price_amount,
        net_amount,
        tax_rate_percent,

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
