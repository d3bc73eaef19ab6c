with mentions as (
    {%- for entity_type, model, column in master_mentions() %}
    select '{{ entity_type }}' as entity_type, source_system, {{ column }} as source_id
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    entity_type,
    source_system,
    source_id,
    count(*) as mention_count
from mentions
where source_id is not null
group by entity_type, source_system, source_id
