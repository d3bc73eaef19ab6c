with source as (
    select *
    from {{ source('raw_ledger', 'push_attempts') }}
    where {{ is_loaded(source('raw_ledger', 'push_attempts')) }}
),

renamed as (
    select
        -- ids
        attempt_id,
        idempotency_key,
        attempt_no,
        erp_id,

        -- texts
        worker,
        outcome,
        detail,

        -- numbers
        fencing_token,
        http_status,

        -- dates and times
        started_at,
        ended_at
    from source
)

select * from renamed
