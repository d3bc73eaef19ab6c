with source as (
    {{ current_rows(source('raw_carrier', 'carriers')) }}
),

renamed as (
    select
        -- ids
        carrier_id,

        -- texts
        name,

        -- booleans
        is_active,

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
