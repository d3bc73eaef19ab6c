with items as (
    select * from {{ ref('canonical_items') }}
),

companies as (
    select * from {{ ref('canonical_companies') }}
),

accounts as (
    select * from {{ ref('canonical_item_accounts') }}
)

-- An account of another company is none: the invoice would be booked where nobody looks for it.
select
    companies.source_system,
    companies.company_id,
    items.item_id,
    items.uom,
    coalesce(nullif(trim(accounts.income_account), ''), nullif(trim(items.income_account), '')) as income_account
from items
inner join companies on items.source_system = companies.source_system
left join accounts
    on items.source_system = accounts.source_system
    and items.item_id = accounts.item_id
    and companies.company_id = accounts.company_id
