with goods as (
    select
        candidates.shipment_id, candidates.shipment_no, candidates.order_id, goods.order_line_id,
        candidates.pod_received_at, goods.accepted_quantity,
        balances.order_invoiced_amount >= balances.order_total_amount as is_fully_invoiced,
        case when balances.external_invoice_id is null then goods.accepted_quantity else 0 end as billable
    from {{ ref('int_candidate_shipments') }} as candidates
    inner join {{ ref('int_shipment_goods') }} as goods on candidates.shipment_id = goods.shipment_id
    inner join {{ ref('int_candidate_balances') }} as balances on candidates.shipment_id = balances.shipment_id
    where goods.order_line_id is not null
),

-- In the order in which proofs arrived, so that a late one never takes the place of one already billed.
before as (
    select
        *,
        sum(billable) over (
            partition by order_id, order_line_id
            order by pod_received_at nulls first, shipment_no
            rows between unbounded preceding and current row
        ) - billable as earlier_quantity
    from goods
),

by_hand as (
    select
        lines.source_system,
        lines.order_line_id,
        invoices.shipment_no,
        sum(lines.quantity) as quantity
    from {{ ref('canonical_invoice_lines') }} as lines
    inner join {{ ref('int_hand_invoices') }} as invoices on lines.invoice_key = invoices.invoice_key
    where lines.order_line_id is not null
    group by lines.source_system, lines.order_line_id, invoices.shipment_no
),

order_lines as (
    select * from {{ ref('canonical_order_lines') }}
),

billed as (
    select
        before.shipment_id, before.order_line_id, before.accepted_quantity, before.earlier_quantity,
        order_lines.quantity as ordered_quantity,
        -- an order invoiced in full is told as that, not line by line
        sum(case when coalesce(before.is_fully_invoiced, false) then 0 else coalesce(by_hand.quantity, 0) end)
            as by_hand_quantity
    from before
    inner join order_lines
        on before.order_id = order_lines.order_id and before.order_line_id = order_lines.order_line_id
    left join by_hand
        on order_lines.source_system = by_hand.source_system
        and order_lines.order_line_id = by_hand.order_line_id
        and before.shipment_no <> coalesce(by_hand.shipment_no, '')
    group by
        before.shipment_id, before.order_line_id, before.accepted_quantity, before.earlier_quantity,
        order_lines.quantity
)

-- Grain: a candidate's order line, with everything that is billed on it.
select
    *,
    accepted_quantity > 0
    and earlier_quantity + by_hand_quantity + accepted_quantity > ordered_quantity as is_over_ordered
from billed
