{% set baseline = var('baseline_days_to_invoice') %}
with billed as (
    select
        bills.invoice_key, max(shipments.delivered_at) as delivered_at, min(shipments.origin_zone) as origin_zone,
        min(case when shipments.delivered_at is null then 0 else 1 end) = 1 as is_all_delivered,
        min(shipments.depot_id) as depot_id, min(shipments.region) as region, min(shipments.carrier_id) as carrier_id
    from {{ ref('int_invoice_shipments') }} as bills
    inner join {{ ref('fct_shipments') }} as shipments on bills.shipment_id = shipments.shipment_id
    group by bills.invoice_key
),

-- What bills several shipments could be written when the last of them was delivered.
invoices as (
    select
        invoices.*, billed.depot_id, billed.region, billed.carrier_id,
        coalesce(billed.origin_zone, 'UTC') as origin_zone,
        case when billed.is_all_delivered then billed.delivered_at end as delivered_at,
        case when billed.is_all_delivered
            then {{ epoch_s('invoices.posted_at') }} - {{ epoch_s('billed.delivered_at') }} end as actual_s
    from {{ ref('fct_invoices') }} as invoices
    left join billed on invoices.invoice_key = billed.invoice_key
    where not invoices.is_credit_note
)

select
    'cash_released_amount' as metric, 'default' as variant, 'invoice' as entity_type,
    invoice_key as entity_id, invoice_id as entity_no,
    case
        when not is_surviving then 'out'
        when actual_s is null then 'excluded'
        when actual_s < 0 then 'negative'
        else 'in'
    end as standing,
    case
        when not is_surviving then 'it does not stand: a draft, cancelled or credited in full'
        when actual_s is null then 'nobody knows when all that it bills was delivered'
        when actual_s < 0 then 'invoiced before the delivery'
        else 'against a baseline of {{ baseline }} days from delivery to invoice'
    end as why,
    {{ local_date('posted_at', 'origin_zone') }} as period_date,
    cast(null as double) as duration_s,
    case when actual_s >= 0 and is_surviving then cast(round(
        cast(grand_total_amount as decimal(18, 4)) * cast({{ baseline }} - actual_s / 86400 as decimal(14, 6)), 4
    ) as decimal(18, 4)) end as amount,
    cast(null as bigint) as numerator, cast(null as bigint) as denominator,
    'per_day' as aggregation, 'amount' as unit, currency, cast(null as string) as age_days,
    {{ kpi_dimensions('erp_connection') }}
from invoices
