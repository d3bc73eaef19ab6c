with shipments as (
    select * from {{ ref('canonical_shipments') }}
    where is_delivered
),

proofs as (
    select * from {{ ref('int_shipment_proofs') }}
),

by_hand as (
    select distinct source_system, order_no, shipment_no
    from {{ ref('canonical_invoices') }}
    where not is_waybill and not is_credit_note and status <> 'cancelled'
),

billed_by_hand as (
    select distinct shipments.shipment_id
    from shipments
    inner join by_hand
        on shipments.order_connection = by_hand.source_system
        and (
            shipments.shipment_no = by_hand.shipment_no
            or (by_hand.shipment_no is null and shipments.order_no = by_hand.order_no)
        )
),

-- Each credit note of ours that the ERP holds as posted makes room for the invoice's next revision.
credited as (
    select source_system, shipment_no, count(*) as credit_note_count
    from {{ ref('canonical_invoices') }}
    where is_waybill and is_credit_note and status = 'posted'
    group by source_system, shipment_no
)

-- Delivered, says at least one side. What was delivered before go-live and billed by hand is history;
-- what was forgotten then is a candidate still.
select
    shipments.*,
    1 + coalesce(credited.credit_note_count, 0) as revision,
    coalesce(proofs.live_pod_count, 0) as live_pod_count,
    coalesce(proofs.conflicting_pod_count, 0) as conflicting_pod_count,
    coalesce(proofs.superseded_pod_count, 0) as superseded_pod_count,
    coalesce(proofs.is_pod_superseded, false) as is_pod_superseded,
    proofs.pod_voided_at,
    proofs.pod_key,
    proofs.pod_order_no,
    coalesce(proofs.has_damage, false) as has_pod_damage,
    proofs.has_line_quantities,
    proofs.latitude as pod_latitude,
    proofs.longitude as pod_longitude
from shipments
left join proofs on shipments.shipment_id = proofs.shipment_id
left join credited
    on shipments.order_connection = credited.source_system and shipments.shipment_no = credited.shipment_no
left join billed_by_hand on shipments.shipment_id = billed_by_hand.shipment_id
where
    billed_by_hand.shipment_id is null
    or {{ go_live_at() }} is null
    or coalesce(shipments.pod_received_at, shipments.delivered_at) >= {{ go_live_at() }}
