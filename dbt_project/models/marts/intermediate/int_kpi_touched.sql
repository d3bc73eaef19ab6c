{% set since = 'coalesce(' ~ last_published('known_until') ~ ', ' ~ instant("'1970-01-01 00:00:00+00'") ~ ')' %}
with orders as (
    select order_key, max(case when is_correction then 1 else 0 end) = 1 as is_correction
    from {{ ref('int_kpi_arrivals') }}
    where ingested_at > {{ since }}
    group by order_key
),

-- What arrives about one shipment may change the others of its order, the order and its invoices.
shipments as (
    select shipments.shipment_id, orders.is_correction
    from {{ ref('canonical_shipments') }} as shipments
    inner join orders
        on coalesce(shipments.order_id, shipments.source_system || '|' || shipments.order_no, shipments.shipment_id)
        = orders.order_key
),

stops as (
    select stop_key from {{ ref('canonical_stops') }}
    where ingested_at > {{ since }}
    union
    select told.stop_key
    from {{ ref('int_eta_stops') }} as told
    inner join {{ ref('canonical_eta_predictions') }} as predictions on told.eta_key = predictions.eta_key
    where predictions.ingested_at > {{ since }}
    union
    -- A charge that names what was done there.
    select {{ surrogate_uuid('actions.source_system', 'actions.stop_id') }} as stop_key
    from {{ ref('canonical_actions') }} as actions
    inner join {{ ref('canonical_shipment_charges') }} as charges
        on actions.source_system = charges.source_system and actions.action_id = charges.evidence_action_id
    where charges.ingested_at > {{ since }} and actions.stop_id is not null
)

select 'order' as entity_type, order_key as entity_id, is_correction from orders
union all
select 'shipment' as entity_type, shipment_id as entity_id, is_correction from shipments
union all
select 'invoice' as entity_type, bills.invoice_key as entity_id, max(case when shipments.is_correction then 1 else 0 end) = 1 as is_correction
from {{ ref('int_invoice_shipments') }} as bills
inner join shipments on bills.shipment_id = shipments.shipment_id
group by bills.invoice_key
union all
select kinds.entity_type, stops.stop_key as entity_id, false as is_correction
from stops
cross join (select 'stop' as entity_type union all select 'arrival') as kinds
