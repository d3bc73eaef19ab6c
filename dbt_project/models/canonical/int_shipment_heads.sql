with consignments as (
    select
        *,
        {{ surrogate_uuid('source_system', 'source_id') }} as shipment_id
    from {{ ref('stg_dispatch__consignments') }}
),

orders as (
    select * from {{ ref('canonical_orders') }}
    where order_id in (select order_id from {{ ref('int_order_numbers') }})
),

allocations as (
    select * from {{ ref('int_shipment_allocations') }}
),

locations as (
    select * from {{ ref('canonical_locations') }}
)

-- What was planned: the shipment with its order and its places, before anything happened.
select
    consignments.shipment_id,
    consignments.consignment_id as shipment_no,
    orders.order_id,
    consignments.order_id as order_no,
    orders.source_system as order_connection,
    orders.company_id, orders.customer_id, orders.currency, orders.status as order_status,
    orders.cancelled_at as order_cancelled_at,
    coalesce(consignments.depot_id, orders.depot_id) as depot_id,
    depots.time_zone as depot_time_zone,
    coalesce(places.region, depots.region) as place_region,
    places.latitude, places.longitude,
    coalesce(consignments.time_zone, places.time_zone, orders.time_zone, depots.time_zone) as time_zone,
    consignments.carrier_id, consignments.status, consignments.parent_id as parent_shipment_no,
    consignments.relation, consignments.cancelled_at,
    orders.ordered_at, orders.confirmed_at, orders.credit_ok_at, allocations.allocated_at,
    -- NULL as long as one of the two is missing
    case when orders.credit_ok_at >= allocations.allocated_at then orders.credit_ok_at
        when orders.credit_ok_at < allocations.allocated_at then allocations.allocated_at end as released_at,
    orders.earliest_release_at, orders.promised_from_at, orders.first_promised_at as promised_at,
    orders.last_promised_at, orders.requested_delivery_at as requested_at,
    orders.requested_delivery_date as requested_date, orders.promise_precision,
    {{ time_quality_rank('orders.time_quality') }} as time_quality_rank,
    consignments.source_system, consignments.source_id, consignments.source_version,
    consignments.ingested_at, consignments.run_id, consignments.contract_version
from consignments
left join orders
    on consignments.order_id = orders.order_no
left join allocations
    on consignments.shipment_id = allocations.shipment_id
    and orders.source_system = allocations.order_connection
left join locations as depots
    on consignments.source_system = depots.source_system
    and coalesce(consignments.depot_id, orders.depot_id) = depots.location_id
left join locations as places
    on consignments.source_system = places.source_system
    and consignments.delivery_location_id = places.location_id
