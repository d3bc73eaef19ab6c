with source as (
    {{ current_rows(source('raw_erp', 'companies')) }}
),

renamed as (
    select
        -- ids
        company_id,
        vat_id,

        -- texts
        name,
        currency,
        time_zone,
        country,

        -- dates and times
        books_closed_until,

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
