with source as (
    {{ all_versions(source('raw_pod', 'delivered_lines')) }}
),

renamed as (
    select
        -- ids
        pod_line_id,
        pod_id,
        item_id,
        order_line_id,

        -- texts
        uom,

        -- numbers
        quantity,

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
