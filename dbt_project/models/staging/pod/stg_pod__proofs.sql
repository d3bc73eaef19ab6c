with source as (
    {{ current_rows(source('raw_pod', 'proofs')) }}
),

renamed as (
    select
        -- ids
        pod_id,
        consignment_id,
        order_id,
        supersedes_id,

        -- texts
        outcome,
        failure_reason,
        signer,
        time_quality,

        -- numbers
        latitude,
        longitude,

        -- booleans
        has_damage,
        has_line_quantities,

        -- dates and times
        captured_at,
        received_at,
        voided_at,

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
