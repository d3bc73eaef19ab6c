with source as (
    {{ all_versions(source('raw_dispatch', 'consignment_charges')) }}
),

renamed as (
    select
        -- ids
        charge_id,
        consignment_id,
        evidence_action_id,

        -- texts
        code,
        currency,

        -- numbers
        amount,

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
