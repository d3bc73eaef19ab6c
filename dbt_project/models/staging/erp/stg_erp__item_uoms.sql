with source as (
    {{ all_versions(source('raw_erp', 'item_uoms')) }}
),

renamed as (
    select
        -- ids
        item_id,

        -- texts
        uom,

        -- numbers
        factor,

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
