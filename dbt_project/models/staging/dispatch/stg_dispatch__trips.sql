with source as (
    {{ current_rows(source('raw_dispatch', 'trips')) }}
),

renamed as (
    select
        -- ids
        trip_id,
        vehicle_id,
        driver_id,
        depot_id,

        -- texts
        status,

        -- numbers
        driver_count,

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
