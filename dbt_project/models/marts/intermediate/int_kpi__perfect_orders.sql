{% set flaw = "case when not coalesce(is_otif, false) then 'not on time in full' when is_damaged then 'damaged'
    when not is_documents_complete then 'a document is missing' when is_corrected then 'its invoice was corrected' end" %}
with judged as (
    select
        shipments.*, documents.is_damaged, documents.is_documents_complete,
        coalesce(fullness.is_order_in_full, true) as is_order_in_full,
        corrections.shipment_id is not null as is_corrected,
        coalesce(shipments.order_id, shipments.source_system || '|' || shipments.order_no) as known_order_id
    from {{ ref('fct_shipments') }} as shipments
    inner join {{ ref('int_shipment_documents') }} as documents on shipments.shipment_id = documents.shipment_id
    left join {{ ref('int_shipment_corrections') }} as corrections on shipments.shipment_id = corrections.shipment_id
    left join {{ ref('int_order_fullness') }} as fullness on shipments.order_id = fullness.order_id
),

shipments as (
    select
        *, {{ flaw }} as flaw, {{ promise_last_at() }} as promise_last_at,
        {{ order_promise_last_at() }} as order_promise_last_at
    from judged
),

-- An attempt that another shipment repeats is forgiven to the order, not what was billed wrongly for it.
shipped as (
    select
        known_order_id as order_id, min(order_no) as order_no, max(promise_ends_at) as promise_ends_at,
        max(promise_last_at) as promise_last_at, {{ zone_of_last_promise() }} as destination_zone, min(as_of) as as_of,
        sum(case when is_cancelled_before_dispatch then 0 else 1 end) > 0 as is_alive,
        coalesce(
            min(case when not is_cancelled_before_dispatch and not is_redelivered then flaw end),
            min(case when is_corrected then 'its invoice was corrected' end),
            min(case when not is_order_in_full then 'not on time in full' end)
        ) as flaw,
        min(source_system) as source_system, min(company_id) as company_id, min(customer_id) as customer_id,
        min(depot_id) as depot_id, min(region) as region, min(carrier_id) as carrier_id, cast(null as string) as made_by
    from shipments
    where order_no is not null
    group by known_order_id
),

orders as (
    select * from shipped
    union all
    select
        order_id, order_no, first_promise_ends_at, first_promise_last_at, local_zone, as_of, is_alive, 'not on a lorry yet' as flaw,
        source_system, company_id, customer_id, depot_id, region, carrier_id, made_by
    from {{ ref('int_waiting_orders') }}
)

{{ rate_facts('perfect_order_rate', 'shipment',
    'not is_cancelled_before_dispatch and (is_due or promise_ends_at is null)',
    "case when is_cancelled_before_dispatch then 'cancelled before dispatch' else 'not due yet' end",
    'promise_ends_at is not null', "'no promise is known'", 'flaw is null', 'flaw', 'promise_last_at',
    'destination_zone') }}
from shipments
union all
{{ rate_facts('perfect_order_rate', 'order', 'is_alive and (promise_ends_at <= as_of or promise_ends_at is null)',
    "case when is_alive then 'not due yet' else 'cancelled before dispatch' end",
    'promise_ends_at is not null', "'no promise is known'", 'flaw is null', 'flaw', 'promise_last_at',
    'destination_zone', entity='order') }}
from orders
