with items as (
    select * from {{ ref('stg_erp__items') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as item_key,
    items.*
from items
