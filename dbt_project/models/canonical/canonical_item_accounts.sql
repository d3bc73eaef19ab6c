with item_accounts as (
    select * from {{ ref('stg_erp__item_accounts') }}
),

items as (
    select * from {{ ref('stg_erp__items') }}
)

-- Only the accounts that the current version of the item has.
select
    {{ surrogate_uuid('item_accounts.source_system', 'item_accounts.source_id') }} as item_account_key,
    item_accounts.*
from item_accounts
inner join items
    on item_accounts.source_system = items.source_system
    and item_accounts.item_id = items.item_id
    and item_accounts.source_version = items.source_version
