{% set dispatched = "not is_cancelled_before_dispatch and coalesce(relation, '') <> 'redelivery'" %}
{% set not_dispatched = "case when is_cancelled_before_dispatch then 'cancelled before dispatch'
    else 'a second dispatch: the first one counts' end" %}
{% set proven = "pod_outcome in ('succeeded', 'partiallySucceeded')" %}
{% set not_proven = "'no proof of delivery'" %}
{% set by_us = proven ~ " and coalesce(made_by, 'waybill') = 'waybill'" %}
{% set not_by_us = "case when made_by = 'hand' then 'invoiced by hand' else 'no proof of delivery' end" %}
with shipments as (
    select
        *,
        greatest(confirmed_at, coalesce(earliest_release_at, confirmed_at)) as net_start_at,
        case when {{ proven }} then pod_captured_at end as proof_captured_at
    from {{ ref('fct_shipments') }}
)

{{ duration_facts('order_to_dispatch_s', 'confirmed_at', 'departed_at', 'origin_zone', dispatched, not_dispatched) }}
from shipments
union all
{{ duration_facts('order_to_dispatch_s', 'net_start_at', 'departed_at', 'origin_zone', dispatched, not_dispatched, 'net') }}
from shipments
union all
{{ duration_facts('release_to_dispatch_s', 'released_at', 'departed_at', 'origin_zone', dispatched, not_dispatched) }}
from shipments
union all
{{ duration_facts('pod_to_invoice_s', 'pod_received_at', 'first_invoice_posted_at', 'origin_zone', proven, not_proven) }}
from shipments
union all
{{ duration_facts('delivery_to_invoice_s', 'delivered_at', 'first_invoice_posted_at', 'origin_zone', 'is_delivered',
    "'not delivered'") }}
from shipments
union all
{{ duration_facts('delivered_to_captured_s', 'delivered_at', 'proof_captured_at', 'destination_zone', 'is_delivered',
    "'not delivered'") }}
from shipments
union all
{{ duration_facts('captured_to_received_s', 'pod_captured_at', 'pod_received_at', 'destination_zone', proven,
    not_proven) }}
from shipments
union all
{{ duration_facts('received_to_released_s', 'pod_received_at', 'gate_released_at', 'origin_zone', by_us, not_by_us) }}
from shipments
union all
{{ duration_facts('released_to_posted_s', 'gate_released_at', 'first_invoice_posted_at', 'origin_zone', by_us, not_by_us) }}
from shipments
