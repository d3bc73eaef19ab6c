with source as (
    {{ all_versions(source('raw_erp', 'item_accounts')) }}
),

renamed as (
    select
        -- ids
        item_id,
        company_id,

        -- texts
        income_account,

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
