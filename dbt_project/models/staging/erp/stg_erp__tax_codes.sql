with source as (
    {{ current_rows(source('raw_erp', 'tax_codes')) }}
),

renamed as (
    select
        -- texts
        tax_code,

        -- numbers
        rate_percent,

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
