with source as (
    {{ current_rows(source('raw_crm', 'exception_events')) }}
),

renamed as (
    select
        -- ids
        event_id,
        exception_id,
        consignment_id,

        -- texts
        change,
        code,
        severity,
        cause_class,

        -- booleans
        is_customer_pause,

        -- dates and times
        occurred_at,
        detected_at,

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
