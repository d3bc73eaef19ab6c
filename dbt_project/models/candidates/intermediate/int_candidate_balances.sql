with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

duplicates as (
    select * from {{ ref('int_candidate_duplicates') }}
),

order_totals as (
    select * from {{ ref('int_order_totals') }}
),

-- On the order, but not for this very shipment: that is an external invoice.
invoiced as (
    select
        candidates.shipment_id,
        cast(sum(by_hand.net_amount) as decimal(18, 4)) as net_amount
    from candidates
    inner join {{ ref('int_hand_invoices') }} as by_hand
        on candidates.order_connection = by_hand.source_system
        and candidates.order_no = by_hand.order_no
        and candidates.shipment_no <> coalesce(by_hand.shipment_no, '')
    group by candidates.shipment_id
),

-- The ERP does not tell what was paid; credit notes reduce what is open.
open_items as (
    select
        source_system,
        customer_id,
        currency,
        shipment_no,
        sum(case when is_credit_note then -abs(grand_total_amount) else grand_total_amount end) as amount
    from {{ everything_of('canonical_invoices') }}
    where status = 'posted'
    group by source_system, customer_id, currency, shipment_no
),

opened as (
    select candidates.shipment_id, cast(sum(open_items.amount) as decimal(18, 4)) as amount
    from candidates
    inner join open_items
        on candidates.order_connection = open_items.source_system
        and candidates.customer_id = open_items.customer_id
        and candidates.currency = open_items.currency
        and candidates.shipment_no <> coalesce(open_items.shipment_no, '')
    group by candidates.shipment_id
)

select
    duplicates.*,
    order_totals.order_total_amount,
    coalesce(order_totals.order_total_difference_amount, 0) as order_total_difference_amount,
    coalesce(order_totals.excess_decimals_count, 0) as excess_decimals_count,
    coalesce(invoiced.net_amount, 0) as order_invoiced_amount,
    coalesce(opened.amount, 0) as other_open_amount
from candidates
inner join duplicates on candidates.shipment_id = duplicates.shipment_id
left join order_totals on candidates.order_id = order_totals.order_id
left join invoiced on candidates.shipment_id = invoiced.shipment_id
left join opened on candidates.shipment_id = opened.shipment_id
