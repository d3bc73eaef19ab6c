with source as (
    {{ current_rows(source('raw_dispatch', 'locations')) }}
),

renamed as (
    select
        -- ids
        location_id,

        -- texts
        name,
        kind,
        time_zone,
        region,
        gln,
        un_code,

        -- numbers
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
