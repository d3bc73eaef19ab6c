with shipments as (
    select * from {{ ref('canonical_shipments') }}
)

-- What dispatch was asked to move for one sales order. Released is it when its first shipment is.
select
    {{ surrogate_uuid('source_system', 'order_no') }} as transport_order_key,
    order_no,
    min(order_id) as order_id,
    min(company_id) as company_id,
    min(customer_id) as customer_id,
    case
        when sum(case when status <> 'cancelled' then 1 else 0 end) = 0 then 'cancelled'
        when sum(case when status <> 'cancelled' and not is_delivered then 1 else 0 end) = 0 then 'completed'
        when sum(case when departed_at is not null then 1 else 0 end) > 0 then 'inTransit'
        else 'requested'
    end as status,
    count(*) as shipment_count,
    sum(case when is_delivered then 1 else 0 end) as delivered_count,
    min(credit_ok_at) as credit_ok_at,
    min(allocated_at) as allocated_at,
    min(released_at) as released_at,
    source_system,
    order_no as source_id,
    max(source_version) as source_version,
    max(ingested_at) as ingested_at,
    max(run_id) as run_id,
    max(contract_version) as contract_version
from shipments
group by source_system, order_no
