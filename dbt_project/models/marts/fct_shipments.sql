with shipments as (
    select
        *,
        coalesce(depot_time_zone, time_zone, 'UTC') as origin_zone,
        coalesce(time_zone, depot_time_zone, 'UTC') as destination_zone
    from {{ ref('canonical_shipments') }}
),

candidates as (
    select * from {{ ref('invoice_candidates') }}
),

joined as (
    select
        shipments.*, {{ as_of() }} as as_of,
        promises.promise_ends_at, promises.last_promise_ends_at, promises.request_ends_at, promises.request_precision,
        promises.is_redelivered, promises.is_early,
        promises.is_on_time_first_confirmed as is_on_time, promises.is_on_time_last_confirmed, promises.is_on_time_requested,
        coalesce(invoices.invoice_count, 0) as invoice_count, invoices.first_invoice_id, invoices.made_by,
        invoices.first_invoice_posted_at, invoices.fully_invoiced_at, invoices.invoiced_net_amount,
        verdicts.gate_verdict, verdicts.gate_codes, verdicts.gate_warnings, verdicts.gate_released_at,
        verdicts.first_decided_at, verdicts.is_first_pass,
        -- While the promise runs, the rest of the order may still come on a shipment that nobody has told of.
        case
            when not shipments.is_in_full and shipments.accepted_quantity >= shipments.loaded_quantity
                and promises.promise_ends_at > {{ as_of() }} then null
            else shipments.is_in_full
        end as is_whole,
        -- Without a live proof, or with one that says `in part` and no more, nobody knows how much was accepted.
        case when shipments.live_pod_id is not null and shipments.accepted_quantity is not null
            then candidates.grand_total_amount end as candidate_amount,
        -- What its proof says was not taken is not delivered; a draft bills nothing.
        candidates.business_id is not null and coalesce(shipments.pod_outcome, '') <> 'failed'
        and invoices.first_invoice_id is null as is_unbilled
    from shipments
    left join {{ ref('int_shipment_promises') }} as promises on shipments.shipment_id = promises.shipment_id
    left join {{ ref('int_shipment_invoices') }} as invoices on shipments.shipment_id = invoices.shipment_id
    left join {{ ref('int_shipment_verdicts') }} as verdicts on shipments.shipment_id = verdicts.shipment_id
    left join candidates on shipments.shipment_id = candidates.business_id
)

select
    shipment_id, shipment_no, source_system, order_id, order_no, order_connection, company_id, customer_id, depot_id, region, carrier_id,
    parent_shipment_no, relation, status, origin_zone, destination_zone, time_quality, as_of,
    ordered_at, confirmed_at, credit_ok_at, allocated_at, released_at, earliest_release_at, departed_at, arrived_at, delivered_at,
    pod_captured_at, pod_received_at, gate_released_at, first_invoice_posted_at, fully_invoiced_at, cancelled_at,
    promised_from_at, promised_at, promise_precision, promise_ends_at, last_promise_ends_at, request_ends_at, request_precision,
    stop_id, pod_outcome, handover_result_status,
    is_delivered, is_cancelled_before_dispatch, is_redelivered, is_on_time, is_on_time_requested,
    is_on_time_last_confirmed, is_early, is_whole as is_in_full, is_delivered and is_on_time and is_whole as is_otif,
    coalesce(promise_ends_at <= as_of, false) and not is_cancelled_before_dispatch as is_due,
    ordered_quantity, loaded_quantity, accepted_quantity,
    {{ epoch_s('departed_at') }} - {{ epoch_s('confirmed_at') }} as order_to_dispatch_s,
    {{ epoch_s('departed_at') }} - {{ epoch_s('released_at') }} as release_to_dispatch_s,
    {{ epoch_s('first_invoice_posted_at') }} - {{ epoch_s('pod_received_at') }} as pod_to_invoice_s,
    {{ epoch_s('first_invoice_posted_at') }} - {{ epoch_s('delivered_at') }} as delivery_to_invoice_s,
    {{ epoch_s('pod_captured_at') }} - {{ epoch_s('delivered_at') }} as delivered_to_captured_s,
    {{ epoch_s('pod_received_at') }} - {{ epoch_s('pod_captured_at') }} as captured_to_received_s,
    {{ epoch_s('gate_released_at') }} - {{ epoch_s('pod_received_at') }} as received_to_released_s,
    {{ epoch_s('first_invoice_posted_at') }} - {{ epoch_s('gate_released_at') }} as released_to_posted_s,
    first_invoice_posted_at < pod_received_at as is_invoiced_before_pod,
    invoice_count, first_invoice_id, made_by, invoiced_net_amount, gate_verdict, gate_codes, gate_warnings,
    first_decided_at, is_first_pass, is_unbilled, candidate_amount, currency
from joined
