with source as (
    {{ current_rows(source('raw_erp', 'delivery_notes')) }}
),

renamed as (
    select
        -- ids
        delivery_note_id,
        order_id,
        shipment_id,

        -- texts
        status,

        -- dates and times
        allocated_at,

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
