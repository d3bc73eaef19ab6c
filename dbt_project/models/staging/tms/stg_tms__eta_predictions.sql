with source as (
    {{ current_rows(source('raw_tms', 'eta_predictions')) }}
),

renamed as (
    select
        -- ids
        eta_id,
        stop_id,
        trip_id,
        consignment_id,

        -- texts
        issuer,

        -- dates and times
        issued_at,
        eta_at,

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
