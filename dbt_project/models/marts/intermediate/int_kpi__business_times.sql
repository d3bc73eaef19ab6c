with shipments as (
    select
        shipments.*,
        worked.origin_confirmed_s, worked.origin_released_s, worked.origin_departed_s, worked.origin_delivered_s,
        worked.origin_pod_received_s, worked.origin_gate_released_s, worked.origin_first_invoice_posted_s,
        worked.destination_delivered_s, worked.destination_pod_captured_s, worked.destination_pod_received_s,
        case when {{ proven_delivered() }} then pod_captured_at end as proof_captured_at
    from {{ ref('fct_shipments') }} as shipments
    left join {{ ref('int_shipment_working_times') }} as worked on shipments.shipment_id = worked.shipment_id
)

{{ shipment_cycle_times('shipments', 'business', is_business=true) }}
