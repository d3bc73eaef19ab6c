with source as (
    {{ current_rows(source('raw_erp', 'cost_centres')) }}
),

renamed as (
    select
        -- ids
        cost_centre_id,
        company_id,

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
