with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

charges as (
    select * from {{ ref('canonical_shipment_charges') }}
),

proven as (
    select source_system, action_id
    from {{ ref('canonical_actions') }}
    where lifecycle = 'realized'
),

main_lines as (
    select
        *,
        row_number() over (partition by shipment_id order by line_no, line_id) as nth_line
    from {{ ref('int_candidate_goods') }}
),

items as (
    select * from {{ ref('int_company_items') }}
)

-- Extra charges. Tax follows the main supply, the shipment's first line; so does the account, unless the
-- charge is an item of its own. Only what a realized action proves, in the order's currency, is billed.
select
    candidates.shipment_id,
    candidates.shipment_no,
    charges.charge_id as line_id,
    charges.code as charge_kind,
    charges.code as item_id,
    coalesce(items.uom, 'Nos') as uom,
    charges.amount,
    main_lines.tax_code,
    main_lines.tax_rate_percent,
    coalesce(items.income_account, main_lines.income_account) as income_account,
    proven.action_id is not null and charges.currency = candidates.currency as is_evidenced
from candidates
inner join charges on candidates.shipment_id = charges.shipment_id
left join proven
    on charges.source_system = proven.source_system and charges.evidence_action_id = proven.action_id
left join main_lines on candidates.shipment_id = main_lines.shipment_id and main_lines.nth_line = 1
left join items
    on candidates.order_connection = items.source_system and charges.code = items.item_id
    and candidates.company_id = items.company_id
