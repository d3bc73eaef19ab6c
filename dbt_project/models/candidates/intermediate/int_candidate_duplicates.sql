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

named as (
    select source_system, shipment_no, min(invoice_id) as invoice_id from by_hand
    group by source_system, shipment_no
),

-- The same customer, reference, currency and amount, after the delivery.
alike as (
    select
        candidates.shipment_id, candidates.shipment_no, candidates.order_connection, candidates.order_no,
        by_hand.invoice_id, by_hand.shipment_no as billed_no
    from candidates
    inner join by_hand
        on candidates.order_connection = by_hand.source_system
        and candidates.customer_id = by_hand.customer_id
        and {{ same_text('by_hand.po_no', 'candidates.po_no') }}
        and candidates.currency = by_hand.currency
        and candidates.grand_total_amount = by_hand.grand_total_amount
    where by_hand.issue_date >= candidates.delivery_date
        and coalesce(by_hand.shipment_no <> candidates.shipment_no, true)
),

-- An invoice of a sister shipment on the same order has a right to look alike.
strangers as (
    select alike.shipment_id, min(alike.invoice_id) as invoice_id
    from alike
    left join {{ ref('int_shipment_heads') }} as sisters
        on alike.billed_no = sisters.shipment_no
        and alike.order_connection = sisters.order_connection
        and alike.order_no = sisters.order_no
    where sisters.shipment_no is null
    group by alike.shipment_id
)

select
    candidates.shipment_id,
    candidates.delivery_date,
    named.invoice_id as external_invoice_id,
    strangers.invoice_id as possible_duplicate_invoice_id
from candidates
left join named
    on candidates.order_connection = named.source_system and candidates.shipment_no = named.shipment_no
left join strangers on candidates.shipment_id = strangers.shipment_id
