with customers as (
    select * from {{ ref('stg_erp__customers') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as customer_key,
    customers.*
from customers
