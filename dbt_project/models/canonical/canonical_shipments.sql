with heads as (
    select * from {{ ref('int_shipment_heads') }}
),

customers as (
    select * from {{ ref('canonical_customers') }}
),

joined as (
    select
        heads.*,
        coalesce(heads.place_region, customers.region) as region,
        actions.departed_at, actions.arrived_at,
        coalesce(
            actions.delivered_at,
            case when proofs.pod_outcome in ('succeeded', 'partiallySucceeded') then proofs.pod_captured_at end
        ) as delivered_at,
        coalesce(
            actions.failed_attempt_at, case when proofs.pod_outcome = 'failed' then proofs.pod_captured_at end
        ) as failed_attempt_at,
        actions.stop_id, actions.handover_result_status, actions.handover_result_reason,
        proofs.pod_id as live_pod_id, proofs.pod_captured_at, proofs.pod_received_at, proofs.pod_outcome,
        quantities.ordered_quantity, quantities.loaded_quantity,
        case when proofs.has_line_quantities or proofs.pod_outcome in ('succeeded', 'failed')
            then coalesce(quantities.accepted_quantity, 0) end as accepted_quantity,
        greatest(
            heads.time_quality_rank, coalesce(actions.time_quality_rank, 0),
            coalesce(proofs.time_quality_rank, 0)
        ) as worst_rank
    from heads
    left join customers
        on heads.order_connection = customers.source_system and heads.customer_id = customers.customer_id
    left join {{ ref('int_shipment_actions') }} as actions on heads.shipment_id = actions.shipment_id
    left join {{ ref('int_shipment_proofs') }} as proofs on heads.shipment_id = proofs.shipment_id
    left join {{ ref('int_shipment_quantities') }} as quantities on heads.shipment_id = quantities.shipment_id
)

select
    shipment_id, shipment_no, source_system, source_id, source_version, ingested_at, run_id, contract_version,
    order_id, order_no, order_connection, company_id, customer_id, depot_id, depot_time_zone, region,
    carrier_id, status, parent_shipment_no, relation, cancelled_at, time_zone,
    ordered_at, confirmed_at, credit_ok_at, allocated_at, released_at, earliest_release_at,
    promised_from_at, promised_at, last_promised_at, requested_at, requested_date, promise_precision,
    {{ worst_time_quality('worst_rank') }} as time_quality,
    departed_at, arrived_at, delivered_at, failed_attempt_at, stop_id, handover_result_status, handover_result_reason,
    live_pod_id, pod_captured_at, pod_received_at, pod_outcome,
    delivered_at is not null as is_delivered,
    coalesce(
        (status = 'cancelled' or order_status = 'cancelled' or cancelled_at is not null)
        and (departed_at is null or coalesce(cancelled_at, order_cancelled_at) <= departed_at),
        false
    ) as is_cancelled_before_dispatch,
    ordered_quantity, loaded_quantity, accepted_quantity,
    case when delivered_at is not null and ordered_quantity > 0 then accepted_quantity >= ordered_quantity end
        as is_in_full,
    currency
from joined
