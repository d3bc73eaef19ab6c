with source as (
    {{ current_rows(source('raw_telematics', 'vehicle_events')) }}
),

renamed as (
    select
        -- ids
        device_id,

        -- texts
        event_type,

        -- numbers
        latitude,
        longitude,
        speed_kmh,

        -- dates and times
        occurred_at,
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
