with consignment_lines as (
    select * from {{ ref('stg_dispatch__consignment_lines') }}
),

consignments as (
    select * from {{ ref('stg_dispatch__consignments') }}
)

-- Goods of an older version of the shipment do not surface.
select
    {{ surrogate_uuid('consignment_lines.source_system', 'consignment_lines.source_id') }} as shipment_line_key,
    {{ surrogate_uuid('consignments.source_system', 'consignments.source_id') }} as shipment_id,
    consignments.consignment_id as shipment_no,
    consignment_lines.consignment_line_id as shipment_line_id,
    consignments.order_id as order_no,
    consignment_lines.order_line_id,
    consignment_lines.item_id,
    consignment_lines.quantity,
    consignment_lines.uom,
    consignment_lines.weight_kg,
    consignment_lines.sscc,
    consignment_lines.source_system,
    consignment_lines.source_id,
    consignment_lines.source_version,
    consignment_lines.ingested_at,
    consignment_lines.run_id,
    consignment_lines.contract_version
from consignment_lines
inner join consignments
    on consignment_lines.source_system = consignments.source_system
    and consignment_lines.consignment_id = consignments.consignment_id
    and consignment_lines.source_version = consignments.source_version
