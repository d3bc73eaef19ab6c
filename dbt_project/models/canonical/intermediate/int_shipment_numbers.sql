-- A POD names a shipment by its number alone: it can be matched only where one dispatch system has that number.
select
    consignment_id as shipment_no,
    min({{ surrogate_uuid('source_system', 'source_id') }}) as shipment_id
from {{ ref('stg_dispatch__consignments') }}
group by consignment_id
having count(*) = 1
