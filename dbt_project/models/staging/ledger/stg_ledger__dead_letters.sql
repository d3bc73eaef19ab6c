with source as (
    select *
    from {{ source('raw_ledger', 'dead_letters') }}
    where {{ is_loaded(source('raw_ledger', 'dead_letters')) }}
),

renamed as (
    select
        -- ids
        dead_letter_id,
        source_id,
        trace_id,
        run_id,

        -- texts
        connection,
        kind,
        resource,
        order_ref,
        shipment_ref,
        reason,
        detail,
        raw_sha256,
        status,

        -- dates and times
        received_at,
        park_until,
        source_version
    from source
)

select * from renamed
