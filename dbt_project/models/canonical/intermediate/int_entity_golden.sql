with records as (
    select
        *,
        {{ surrogate_uuid('source_system', 'source_id') }} as record_key,
        count(*) over (partition by entity_type, strong_key) as system_count,
        min(source_system || '|' || source_id) over (partition by entity_type, strong_key) as first_record
    from {{ ref('int_entity_records') }}
)

-- What two systems give the same number is one thing; it is called by the record of the first of them.
select
    entity_type,
    source_system,
    source_id,
    case
        when strong_key is not null and system_count > 1
            then max(case when source_system || '|' || source_id = first_record then record_key end)
                over (partition by entity_type, strong_key)
        else record_key
    end as golden_id,
    case when strong_key is not null and system_count > 1 then 'same_number' else 'own_record' end as match_rule
from records
