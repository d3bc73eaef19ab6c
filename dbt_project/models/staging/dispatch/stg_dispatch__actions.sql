with source as (
    {{ current_rows(source('raw_dispatch', 'actions')) }}
),

renamed as (
    select
        -- ids
        action_id,
        trip_id,
        consignment_id,
        stop_id,
        location_id,

        -- texts
        action_type,
        lifecycle,
        result_status,
        result_reason,
        time_quality,

        -- numbers
        sequence_nr,
        free_time_s,

        -- booleans
        has_second_driver,

        -- dates and times
        start_at,
        end_at,
        planned_start_at,
        planned_end_at,

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
