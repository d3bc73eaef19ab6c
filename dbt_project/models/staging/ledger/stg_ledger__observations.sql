with source as (
    select *
    from {{ source('raw_ledger', 'observations') }}
    where {{ is_loaded(source('raw_ledger', 'observations')) }}
),

renamed as (
    select
        -- ids
        observation_id,

        -- texts
        connection,
        kind,
        error,
        remedy,

        -- booleans
        ok,

        -- dates and times
        observed_at,
        source_clock
    from source
)

select * from renamed
