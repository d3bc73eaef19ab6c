with source as (
    {{ current_rows(source('raw_erp', 'items')) }}
),

renamed as (
    select
        -- ids
        item_id,

        -- texts
        name,
        uom,
        income_account,

        -- numbers
        weight_kg,

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
