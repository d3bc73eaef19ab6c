with declared as (
    select
        *,
        row_number() over (
            partition by source_system, event_id order by source_version desc, error_declared_at desc
        ) as newest_first
    from {{ ref('stg_wms__delivery_events') }}
    where error_declared_at is not null
)

-- A declaration cannot be taken back: one version that declares the event wrong is enough, whatever came after.
select
    {{ surrogate_uuid('source_system', 'source_id') }} as delivery_event_key,
    event_id,
    consignment_id as shipment_no,
    error_declared_at,
    error_reason,
    corrective_event_ids,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from declared
where newest_first = 1
