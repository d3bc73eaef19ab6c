with source as (
    {{ all_versions(source('raw_wms', 'delivery_events')) }}
),

renamed as (
    select
        -- ids
        event_id,
        consignment_id,
        location_id,

        -- texts
        event_type,
        action,
        biz_step,
        disposition,
        tz_offset,
        status_code,
        reason_code,
        error_reason,
        corrective_event_ids,

        -- dates and times
        occurred_at,
        recorded_at,
        error_declared_at,

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
