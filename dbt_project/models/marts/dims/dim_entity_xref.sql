with xref as (
    select * from {{ ref('canonical_entity_xref') }}
)

select
    entity_type,
    source_system,
    source_id,
    golden_id,
    valid_from_at,
    valid_to_at,
    match_rule,
    golden_id is not null as is_matched,
    cast(mention_count as bigint) as mention_count
from xref
