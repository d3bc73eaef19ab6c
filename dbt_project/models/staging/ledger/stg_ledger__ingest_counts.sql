with source as (
    select *
    from {{ source('raw_ledger', 'ingest_counts') }}
    where {{ is_loaded(source('raw_ledger', 'ingest_counts')) }}
),

renamed as (
    select
        -- ids
        run_id,

        -- texts
        connection,
        source,
        resource,

        -- numbers
        rows_in,
        loaded,
        dead_lettered,
        duplicate,
        parked,

        -- dates and times
        counted_at
    from source
)

select * from renamed
