with candidates as (
    select
        shipments.*,
        parties.po_no,
        {{ local_date('shipments.delivered_at', 'parties.company_time_zone') }} as delivery_date,
        coalesce(totals.net_amount + totals.tax_amount, 0) as grand_total_amount
    from {{ ref('int_candidate_shipments') }} as shipments
    inner join {{ ref('int_candidate_parties') }} as parties on shipments.shipment_id = parties.shipment_id
    left join {{ ref('int_candidate_totals') }} as totals on shipments.shipment_id = totals.shipment_id
),

by_hand as (
    select * from {{ ref('int_hand_invoices') }}
),

-- An invoice of a sister shipment on the same order has a right to look alike.
sisters as (
    select order_connection, order_no, shipment_no from {{ ref('int_shipment_heads') }}
)

select
    candidates.shipment_id,
    candidates.delivery_date,
    min(case when by_hand.shipment_no = candidates.shipment_no then by_hand.invoice_id end)
        as external_invoice_id,
    min(
        case
            when by_hand.shipment_no = candidates.shipment_no or sisters.shipment_no is not null then null
            when
                {{ same_text('by_hand.po_no', 'candidates.po_no') }}
                and by_hand.currency = candidates.currency
                and by_hand.grand_total_amount = candidates.grand_total_amount
                and by_hand.issue_date >= candidates.delivery_date
                then by_hand.invoice_id
        end
    ) as possible_duplicate_invoice_id
from candidates
left join by_hand
    on candidates.order_connection = by_hand.source_system
    and (candidates.shipment_no = by_hand.shipment_no or candidates.customer_id = by_hand.customer_id)
left join sisters
    on by_hand.shipment_no = sisters.shipment_no
    and by_hand.source_system = sisters.order_connection
    and candidates.order_no = sisters.order_no
    and candidates.shipment_no <> sisters.shipment_no
group by candidates.shipment_id, candidates.delivery_date
