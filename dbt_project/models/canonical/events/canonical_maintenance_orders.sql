with orders as (
    select * from {{ ref('stg_maintenance__maintenance_orders') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as maintenance_order_key,
    orders.*
from orders
