with lines as (
    select
        *,
        abs(net_price_amount - contract_price_amount) as price_difference_amount
    from {{ ref('int_candidate_lines') }}
),

taxes as (
    select
        shipment_id,
        {{ round_money(product('sum(net_amount)', 'coalesce(tax_rate_percent, 0)') ~ ' * 0.01', 'min(minor_units)') }}
            as tax_amount
    from lines
    group by shipment_id, coalesce(tax_rate_percent, 0)
),

tax_totals as (
    select shipment_id, cast(sum(tax_amount) as decimal(18, 4)) as tax_amount
    from taxes
    group by shipment_id
),

line_totals as (
    select
        shipment_id,
        count(*) as line_count,
        cast(sum(net_amount) as decimal(18, 4)) as net_amount,
        -- Σ of fewer lines than there are is not a total
        count(*) = count(net_amount) as is_complete,
        max(price_difference_amount) as max_price_difference_amount,
        max(
            case
                when contract_price_amount <> 0
                    then round(price_difference_amount * 100 / abs(contract_price_amount), 8)
                when price_difference_amount > 0 then 100
            end
        ) as max_price_difference_percent,
        sum(case when tax_code is null then 1 else 0 end) as missing_tax_code_count,
        sum(
            case
                when tax_code is null or charge_kind <> 'goods' then 0
                when code_rate_percent is null or said_rate_percent <> code_rate_percent then 1
                else 0
            end
        ) as tax_rate_mismatch_count,
        sum(case when income_account is null then 1 else 0 end) as missing_income_account_count,
        '[' || {{ sorted_text(json_text({
            'line_id': 'line_id', 'charge_key': 'charge_key', 'order_line_id': 'order_line_id',
            'item_id': 'item_id', 'quantity': decimal_text('quantity'), 'uom': 'uom',
            'net_price': decimal_text('net_price_amount'), 'net_amount': decimal_text('net_amount'),
            'tax_code': 'tax_code', 'tax_rate_percent': decimal_text('tax_rate_percent'),
            'income_account': 'income_account'
        }), ',', 'line_id, charge_kind') }} || ']' as lines_json
    from lines
    group by shipment_id
)

select
    line_totals.*,
    tax_totals.tax_amount
from line_totals
inner join tax_totals on line_totals.shipment_id = tax_totals.shipment_id
