with valid as (
    select * from {{ ref('canonical_entity_xref') }}
    where golden_id is not null
        and coalesce(valid_from_at <= {{ as_of() }}, true) and coalesce(valid_to_at > {{ as_of() }}, true)
),

records as (
    select * from {{ ref('int_entity_records') }}
),

members as (
    select
        valid.*,
        case when {{ surrogate_uuid('records.source_system', 'records.source_id') }} = valid.golden_id then 0 else 1 end
            as distance
    from valid
    inner join records
        on valid.entity_type = records.entity_type
        and valid.source_system = records.source_system and valid.source_id = records.source_id
)

select
    entity_type, golden_id, source_system, source_id, match_rule,
    row_number() over (
        partition by entity_type, golden_id order by distance, source_system, source_id
    ) as place,
    row_number() over (
        partition by entity_type, golden_id, source_system order by distance, source_id
    ) as place_in_system
from members
