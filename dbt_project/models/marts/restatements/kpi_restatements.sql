{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{%- set measures = number_measures() %}
with restated as (
    select published.* from {{ ref('int_kpi_published') }} as published
    where published.is_restatement
    {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as told
            where told.version = published.version and coalesce(told.currency, '') = published.currency
            {%- for name in number_key() if name != 'currency' %} and told.{{ name }} = published.{{ name }}{% endfor %}
        )
    {%- endif %}
),

facts as (
    select * from {{ ref('int_kpi_changed_facts') }}
),

-- The rows that moved the number: into it, out of it or within it.
moved as (
    select distinct
        {{ number_columns('restated.') }}, restated.version,
        facts.entity_type, facts.entity_id, coalesce(facts.entity_no, facts.entity_id) as entity_no, facts.is_arrived, facts.is_correction
    from restated
    inner join facts
        on restated.metric = facts.metric and restated.variant = facts.variant
        and restated.currency = coalesce(facts.currency, '')
        and restated.period_start = case restated.grain
            {%- for grain in ['day', 'week', 'month'] %}
            when '{{ grain }}' then {{ period_start(grain, 'facts.period_date') }}
            {%- endfor %}
        end
        and restated.dimension_value = case restated.dimension when 'all' then 'all'
            {%- for name in kpi_dimension_names() %} when '{{ name | replace('_id', '') }}' then facts.{{ name }}{% endfor %} end
),

ranked as (
    select
        *, row_number() over (partition by {{ number_columns() }}, version order by entity_no, entity_type, entity_id)
            as place
    from moved
),

causes as (
    select
        {{ number_columns() }}, version, max(case when is_correction then 2 when is_arrived then 1 else 0 end) as arrived,
        count(distinct entity_type || '|' || entity_id) as entity_count,
        {{ sorted_text('case when place <= 20 then entity_no end', ' ') }} as entities
    from ranked
    group by {{ number_columns() }}, version
)

select
    {% for name in number_key() if name != 'currency' %}restated.{{ name }}, {% endfor %}
    nullif(restated.currency, '') as currency, cast(restated.version as bigint) as version,
    {%- for name in measures %}
    restated.{{ name }}_before, restated.{{ name }} as {{ name }}_after,
    {%- endfor %}
    case causes.arrived when 2 then 'correction' when 1 then 'late event' else 'definition or deadline' end as cause,
    cast(coalesce(causes.entity_count, 0) as bigint) as entity_count, causes.entities,
    restated.published_before_at, restated.published_at as restated_at
from restated
left join causes using ({{ number_columns() }}, version)
