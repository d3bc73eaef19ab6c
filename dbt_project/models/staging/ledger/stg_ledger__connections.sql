with source as (
    select *
    from {{ source('raw_ledger', 'connections') }}
    where {{ is_loaded(source('raw_ledger', 'connections')) }}
),

renamed as (
    select
        -- ids
        connection,

        -- texts
        kind,
        adapter,
        owner,
        criticality,
        lifecycle,

        -- numbers
        freshness_s,

        -- booleans
        is_destination,

        -- dates and times
        requested_at
    from source
)

select * from renamed
