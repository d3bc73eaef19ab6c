with exceptions as (
    select
        *,
        row_number() over (partition by shipment_id order by opened_at, exception_key) as turn
    from {{ ref('canonical_exceptions') }}
),

shipments as (
    select * from {{ ref('fct_shipments') }}
)

select
    exceptions.exception_key, exceptions.exception_id, exceptions.source_system as exception_connection,
    exceptions.shipment_id, exceptions.shipment_no, shipments.order_no, shipments.company_id, shipments.customer_id,
    shipments.depot_id, shipments.region, shipments.carrier_id, coalesce(shipments.origin_zone, 'UTC') as time_zone,
    exceptions.code, exceptions.severity, exceptions.cause_class, exceptions.record_count, exceptions.reopen_count,
    exceptions.is_open,
    exceptions.shipment_id is not null and exceptions.turn = 1 as is_first_of_shipment,
    exceptions.opened_at, exceptions.detected_at, exceptions.resolved_at,
    {{ epoch_s('exceptions.detected_at') }} - {{ epoch_s('exceptions.opened_at') }} as detection_s,
    exceptions.open_s as resolution_s, exceptions.paused_for_customer_s
from exceptions
left join shipments on exceptions.shipment_id = shipments.shipment_id
