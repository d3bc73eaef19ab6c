with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

goods as (
    select * from {{ ref('int_shipment_goods') }}
    where accepted_quantity > 0
),

order_lines as (
    select * from {{ ref('canonical_order_lines') }}
),

items as (
    select * from {{ ref('int_company_items') }}
),

tax_codes as (
    select * from {{ ref('canonical_tax_codes') }}
)

-- What was accepted, at the order's price. A rate that the line does not say is the one of its code.
select
    candidates.shipment_id,
    candidates.shipment_no,
    order_lines.order_line_id as line_id,
    'goods' as charge_kind,
    order_lines.order_line_id,
    order_lines.line_no,
    order_lines.item_id,
    goods.accepted_quantity as quantity,
    order_lines.uom,
    order_lines.unit_price_amount as net_price_amount,
    order_lines.contract_price_amount,
    nullif(trim(order_lines.tax_code), '') as tax_code,
    coalesce(order_lines.tax_rate_percent, tax_codes.rate_percent) as tax_rate_percent,
    order_lines.tax_rate_percent as said_rate_percent,
    tax_codes.rate_percent as code_rate_percent,
    items.income_account
from candidates
inner join goods on candidates.shipment_id = goods.shipment_id
inner join order_lines
    on goods.order_id = order_lines.order_id and goods.order_line_id = order_lines.order_line_id
left join items
    on order_lines.source_system = items.source_system and order_lines.item_id = items.item_id
    and candidates.company_id = items.company_id
left join tax_codes
    on order_lines.source_system = tax_codes.source_system and order_lines.tax_code = tax_codes.tax_code
