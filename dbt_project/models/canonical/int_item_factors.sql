with items as (
    select * from {{ ref('canonical_items') }}
),

item_uoms as (
    select * from {{ ref('canonical_item_uoms') }}
)

select source_system, item_id, uom, cast(1 as decimal(18, 8)) as factor
from items

union all

select item_uoms.source_system, item_uoms.item_id, item_uoms.uom, item_uoms.factor
from item_uoms
inner join items
    on item_uoms.source_system = items.source_system
    and item_uoms.item_id = items.item_id
    and item_uoms.uom <> items.uom
where item_uoms.factor > 0
