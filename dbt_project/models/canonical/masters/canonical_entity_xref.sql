with golden as (
    select * from {{ ref('int_entity_golden') }}
),

by_hand as (
    select
        seeded.*,
        golden.golden_id
    from {{ ref('entity_cross_reference') }} as seeded
    left join golden
        on seeded.entity_type = golden.entity_type
        and seeded.same_as_system = golden.source_system
        and seeded.same_as_id = golden.source_id
),

-- An id is evidence where one thing alone has it; two ERPs number their customers each from one.
by_id as (
    select entity_type, source_id, min(golden_id) as golden_id
    from golden
    group by entity_type, source_id
    having count(distinct golden_id) = 1
),

known as (
    select entity_type, source_system, source_id from golden
    union
    select entity_type, source_system, source_id from {{ ref('int_entity_mentions') }}
),

ruled as (
    select
        known.*,
        coalesce(golden.golden_id, by_id.golden_id) as golden_id,
        coalesce(golden.match_rule, case when by_id.golden_id is not null then 'same_id' end) as match_rule
    from known
    left join golden
        on known.entity_type = golden.entity_type
        and known.source_system = golden.source_system and known.source_id = golden.source_id
    left join by_id
        on known.entity_type = by_id.entity_type and known.source_id = by_id.source_id
    -- What a person has said stands alone.
    where not exists (
        select 1 from by_hand
        where by_hand.entity_type = known.entity_type
            and by_hand.source_system = known.source_system and by_hand.source_id = known.source_id
    )
),

matched as (
    select
        entity_type, source_system, source_id, golden_id,
        {{ instant('null') }} as valid_from_at, {{ instant('null') }} as valid_to_at,
        match_rule
    from ruled
    union all
    select
        entity_type, source_system, source_id, golden_id, valid_from, valid_to,
        case when golden_id is not null then 'cross_reference' end
    from by_hand
)

select
    matched.*,
    coalesce(mentions.mention_count, 0) as mention_count
from matched
left join {{ ref('int_entity_mentions') }} as mentions
    on matched.entity_type = mentions.entity_type
    and matched.source_system = mentions.source_system and matched.source_id = mentions.source_id
