with order_lines as (
    select * from {{ ref('stg_erp__order_lines') }}
),

orders as (
    select * from {{ ref('canonical_orders') }}
)

-- Lines of an older version of the order, or of a refused one, do not surface.
select
    {{ surrogate_uuid('order_lines.source_system', 'order_lines.source_id') }} as order_line_key,
    orders.order_id,
    orders.order_no,
    order_lines.order_line_id,
    order_lines.line_no,
    order_lines.item_id,
    order_lines.uom,
    order_lines.quantity,
    order_lines.unit_price_amount,
    order_lines.net_amount,
    order_lines.contract_price_amount,
    orders.currency,
    order_lines.tax_code,
    order_lines.tax_rate_percent,
    order_lines.is_return,
    order_lines.source_system,
    order_lines.source_id,
    order_lines.source_version,
    order_lines.ingested_at,
    order_lines.run_id,
    order_lines.contract_version
from order_lines
inner join orders
    on order_lines.source_system = orders.source_system
    and order_lines.order_id = orders.order_no
    and order_lines.source_version = orders.source_version
