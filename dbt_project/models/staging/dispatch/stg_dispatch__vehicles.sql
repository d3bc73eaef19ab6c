with source as (
    {{ current_rows(source('raw_dispatch', 'vehicles')) }}
),

renamed as (
    select
        -- ids
        vehicle_id,
        device_id,

        -- texts
        license_plate,

        -- numbers
        capacity_kg,

        -- dates and times
        in_service_from,
        in_service_until,

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
