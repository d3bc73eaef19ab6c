with item_uoms as (
    select * from {{ ref('stg_erp__item_uoms') }}
),

items as (
    select * from {{ ref('stg_erp__items') }}
)

-- Only the units that the current version of the item has.
select
    {{ surrogate_uuid('item_uoms.source_system', 'item_uoms.source_id') }} as item_uom_key,
    item_uoms.*
from item_uoms
inner join items
    on item_uoms.source_system = items.source_system
    and item_uoms.item_id = items.item_id
    and item_uoms.source_version = items.source_version
