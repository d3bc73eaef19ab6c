with source as (
    {{ current_rows(source('raw_telematics', 'positions')) }}
),

renamed as (
    select
        -- ids
        device_id,

        -- texts
        quality,

        -- numbers
        latitude,
        longitude,
        speed_kmh,
        heading,
        odometer_km,

        -- booleans
        ignition,

        -- dates and times
        positioned_at,
        received_at,

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
