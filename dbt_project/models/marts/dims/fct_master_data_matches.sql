with xref as (
    select
        entity_type,
        source_system,
        source_id,
        max(case when is_matched then 1 else 0 end) as is_matched,
        max(mention_count) as mention_count
    from {{ ref('dim_entity_xref') }}
    group by entity_type, source_system, source_id
),

-- Per system, and once more for all of them together.
cut as (
    select entity_type, source_system, is_matched, mention_count from xref
    union all
    select entity_type, 'all' as source_system, is_matched, mention_count from xref
)

select
    entity_type,
    source_system,
    count(*) as id_count,
    cast(sum(1 - is_matched) as bigint) as unmatched_id_count,
    cast(sum(mention_count) as bigint) as mention_count,
    cast(sum(case when is_matched = 0 then mention_count else 0 end) as bigint) as unmatched_mention_count,
    cast(sum(1 - is_matched) as double) / count(*) as unmatched_rate
from cut
group by entity_type, source_system
