with source as (
    {{ all_versions(source('raw_dispatch', 'consignment_lines')) }}
),

renamed as (
    select
        -- ids
        consignment_line_id,
        consignment_id,
        order_line_id,
        item_id,

        -- texts
        uom,
        sscc,

        -- numbers
        quantity,
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
