with orders as (
    select * from {{ ref('canonical_orders') }}
),

currencies as (
    select * from {{ ref('currencies') }}
),

lines as (
    select
        order_lines.order_id,
        cast(sum(order_lines.net_amount) as decimal(18, 4)) as net_amount,
        sum({{ excess_decimals('order_lines.net_amount', 'currencies.minor_units') }}) as excess_count
    from {{ ref('canonical_order_lines') }} as order_lines
    left join currencies on order_lines.currency = currencies.currency
    group by order_lines.order_id
)

-- The order's header against its lines, and against itself.
select
    orders.order_id,
    lines.net_amount as order_total_amount,
    greatest(
        coalesce(abs(orders.net_total_amount - lines.net_amount), 0),
        coalesce(
            abs(orders.grand_total_amount - orders.net_total_amount - coalesce(orders.tax_total_amount, 0)), 0
        )
    ) as order_total_difference_amount,
    coalesce(lines.excess_count, 0)
        + {{ excess_decimals('orders.net_total_amount', 'currencies.minor_units') }}
        + {{ excess_decimals('orders.tax_total_amount', 'currencies.minor_units') }}
        + {{ excess_decimals('orders.grand_total_amount', 'currencies.minor_units') }}
        as excess_decimals_count
from orders
left join lines on orders.order_id = lines.order_id
left join currencies on orders.currency = currencies.currency
