with loaded as (
    select * from {{ ref('canonical_shipment_lines') }}
),

delivered as (
    select * from {{ ref('canonical_delivered_lines') }}
),

proofs as (
    select * from {{ ref('int_shipment_proofs') }}
    where pod_key is not null
),

accepted as (
    select
        proofs.shipment_id, delivered.order_line_id, delivered.item_id, delivered.uom, delivered.quantity
    from delivered
    inner join proofs on delivered.pod_key = proofs.pod_key
    where proofs.has_line_quantities

    union all

    -- A full delivery without quantities accepted what was loaded; a partial one says nothing.
    select loaded.shipment_id, loaded.order_line_id, loaded.item_id, loaded.uom, loaded.quantity
    from loaded
    inner join proofs on loaded.shipment_id = proofs.shipment_id
    where not proofs.has_line_quantities and proofs.pod_outcome = 'succeeded'
)

select 'loaded' as side, shipment_id, order_line_id, item_id, uom, quantity
from loaded

union all

select 'accepted' as side, shipment_id, order_line_id, item_id, uom, quantity
from accepted
where quantity <> 0
