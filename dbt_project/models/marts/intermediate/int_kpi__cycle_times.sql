with shipments as (
    select
        *,
        -- GREATEST overlooks a NULL: without a confirmation there is no start.
        case
            when confirmed_at is not null then greatest(confirmed_at, coalesce(earliest_release_at, confirmed_at))
        end as net_start_at,
        case when {{ proven_delivered() }} then pod_captured_at end as proof_captured_at
    from {{ ref('fct_shipments') }}
)

{{ shipment_cycle_times('shipments') }}
union all
{{ duration_facts('order_to_dispatch_s', 'net_start_at', 'departed_at', 'origin_zone', dispatched_once(),
    why_not_dispatched_once(), 'net') }}
from shipments
