with actions as (
    select * from {{ ref('stg_dispatch__actions') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as action_key,
    {{ surrogate_uuid('source_system', 'consignment_id') }} as shipment_id,
    consignment_id as shipment_no,
    action_id,
    action_type,
    lifecycle,
    result_status,
    result_reason,
    lifecycle = 'realized' and coalesce(result_status in ('succeeded', 'partiallySucceeded'), false) as is_done,
    trip_id,
    stop_id,
    location_id,
    sequence_nr,
    start_at,
    end_at,
    planned_start_at,
    planned_end_at,
    free_time_s,
    has_second_driver,
    time_quality,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from actions
