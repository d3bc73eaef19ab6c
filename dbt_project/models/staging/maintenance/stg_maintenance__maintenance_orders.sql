with source as (
    {{ current_rows(source('raw_maintenance', 'maintenance_orders')) }}
),

renamed as (
    select
        -- ids
        maintenance_order_id,
        vehicle_id,

        -- texts
        kind,
        status,

        -- dates and times
        started_at,
        ended_at,

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
