with notes as (
    select * from {{ ref('stg_erp__delivery_notes') }}
    where status <> 'cancelled'
),

consignments as (
    select * from {{ ref('stg_dispatch__consignments') }}
)

-- A note that names no shipment allocates stock to all shipments of its order.
select
    {{ surrogate_uuid('consignments.source_system', 'consignments.source_id') }} as shipment_id,
    notes.source_system as order_connection,
    min(notes.allocated_at) as allocated_at
from consignments
inner join notes
    on consignments.order_id = notes.order_id
    and consignments.consignment_id = coalesce(notes.shipment_id, consignments.consignment_id)
group by consignments.source_system, consignments.source_id, notes.source_system
