with events as (
    select
        *,
        row_number() over (partition by source_system, event_id order by source_version desc) as newest_first,
        min(ingested_at) over (partition by source_system, event_id) as received_at
    from {{ ref('stg_wms__delivery_events') }}
),

shipment_numbers as (
    select * from {{ ref('int_shipment_numbers') }}
)

-- What was declared wrong is out; the events that correct it stand for themselves.
select
    {{ surrogate_uuid('events.source_system', 'events.source_id') }} as delivery_event_key,
    events.event_id,
    shipment_numbers.shipment_id,
    events.consignment_id as shipment_no,
    events.location_id,
    events.event_type, events.action, events.biz_step, events.disposition,
    events.status_code, events.reason_code,
    corrections.corrects_event_id,
    events.occurred_at, events.tz_offset, events.recorded_at, events.received_at,
    events.source_system, events.source_id, events.source_version,
    events.ingested_at, events.run_id, events.contract_version
from events
left join {{ ref('canonical_delivery_event_errors') }} as errors
    on events.source_system = errors.source_system and events.event_id = errors.event_id
left join {{ ref('int_delivery_event_corrections') }} as corrections
    on events.source_system = corrections.source_system and events.event_id = corrections.event_id
left join shipment_numbers
    on events.consignment_id = shipment_numbers.shipment_no
where events.newest_first = 1 and errors.event_id is null
