with source as (
    {{ all_versions(source('raw_dispatch', 'route_points')) }}
),

renamed as (
    select
        -- ids
        route_id,
        trip_id,

        -- numbers
        sequence_nr,
        latitude,
        longitude,

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
