with billed as (
    select
        *,
        sum(case when is_named then quantity else 0 end) over so_far as named_so_far,
        sum(case when is_named then 0 else quantity end) over so_far as shared_so_far
    from {{ ref('int_shipment_billed_items') }}
    window so_far as (
        partition by shipment_id, item_id, odd_uom order by posted_at, invoice_key
        rows between unbounded preceding and current row
    )
),

named as (
    select shipment_id, item_id, odd_uom, max(named_so_far) as quantity
    from billed
    group by shipment_id, item_id, odd_uom
),

unnamed as (
    select accepted.*, greatest(accepted.quantity - coalesce(named.quantity, 0), 0) as shared_need
    from {{ ref('int_shipment_items') }} as accepted
    left join named
        on accepted.shipment_id = named.shipment_id
        and accepted.item_id = named.item_id
        and accepted.odd_uom = named.odd_uom
),

-- What bills an order as a whole covers its shipments one after the other, as their proofs arrived.
needed as (
    select
        *,
        sum(shared_need) over (
            partition by order_id, item_id, odd_uom
            order by pod_received_at nulls last, shipment_no, shipment_id
            rows between unbounded preceding and current row
        ) - shared_need as earlier_need
    from unnamed
),

covered as (
    select
        needed.shipment_id, needed.item_id, needed.odd_uom,
        min(
            case
                when billed.named_so_far + greatest(billed.shared_so_far - needed.earlier_need, 0) >= needed.quantity
                    then billed.posted_at
            end
        ) as covered_at
    from needed
    left join billed
        on needed.shipment_id = billed.shipment_id
        and needed.item_id = billed.item_id
        and needed.odd_uom = billed.odd_uom
    group by needed.shipment_id, needed.item_id, needed.odd_uom
)

select
    shipment_id,
    case when count(*) = count(covered_at) then max(covered_at) end as fully_invoiced_at
from covered
group by shipment_id
