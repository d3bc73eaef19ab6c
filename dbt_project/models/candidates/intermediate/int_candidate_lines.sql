with lines as (
    select
        shipment_id, shipment_no, line_id, charge_kind, order_line_id, item_id, quantity, uom,
        net_price_amount, contract_price_amount, tax_code, tax_rate_percent, said_rate_percent,
        code_rate_percent, income_account
    from {{ ref('int_candidate_goods') }}

    union all

    select
        shipment_id, shipment_no, line_id, charge_kind, null as order_line_id, item_id,
        cast(1 as decimal(18, 4)) as quantity, uom, amount as net_price_amount,
        null as contract_price_amount, tax_code, tax_rate_percent, null as said_rate_percent,
        null as code_rate_percent, income_account
    from {{ ref('int_candidate_charges') }}
    where is_evidenced
),

shipments as (
    select
        candidates.shipment_id,
        candidates.revision,
        coalesce(currencies.minor_units, 2) as minor_units
    from {{ ref('int_candidate_shipments') }} as candidates
    left join {{ ref('currencies') }} as currencies on candidates.currency = currencies.currency
)

-- EN 16931: the line's net amount is rounded to the currency, the tax only in the sum of its rate.
select
    lines.*,
    shipments.minor_units,
    lines.shipment_no || '|' || lines.line_id || '|' || lines.charge_kind || '|' || shipments.revision as charge_key,
    {{ round_money(product('lines.quantity', 'lines.net_price_amount'), 'shipments.minor_units') }} as net_amount
from lines
inner join shipments on lines.shipment_id = shipments.shipment_id
