with source as (
    select *
    from {{ source('raw_ledger', 'entries') }}
    where {{ is_loaded(source('raw_ledger', 'entries')) }}
),

renamed as (
    select
        -- ids
        sequence,

        -- texts
        event,
        actor,
        subject,
        detail,
        row_hash,

        -- dates and times
        recorded_at
    from source
)

select * from renamed
