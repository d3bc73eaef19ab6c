with lines as (
    select * from {{ ref('canonical_invoice_lines') }}
),

factors as (
    select * from {{ ref('int_item_factors') }}
)

-- What cannot be converted keeps its unit, and covers nothing in another.
select
    lines.invoice_key,
    lines.item_id,
    case when factors.factor is null then lines.uom else '' end as odd_uom,
    sum(lines.quantity * coalesce(factors.factor, 1)) as quantity
from lines
left join factors
    on lines.source_system = factors.source_system
    and lines.item_id = factors.item_id
    and lines.uom = factors.uom
group by lines.invoice_key, lines.item_id, case when factors.factor is null then lines.uom else '' end
