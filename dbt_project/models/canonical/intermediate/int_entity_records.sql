with records as (
    {%- for entity_type, (model, id, key) in master_entities().items() %}
    select
        '{{ entity_type }}' as entity_type, source_system, cast({{ id }} as string) as source_id,
        {% if key -%} nullif(upper(replace(replace({{ key }}, ' ', ''), '-', '')), '')
        {%- else -%} cast(null as string) {%- endif %} as strong_key
    from {{ ref(model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        *,
        count(*) over (partition by entity_type, source_system, strong_key) as alike_count
    from records
)

-- Two records of one system that share a number are two by that system's own word: the number tells nothing then.
select
    entity_type,
    source_system,
    source_id,
    case when alike_count = 1 then strong_key end as strong_key
from counted
