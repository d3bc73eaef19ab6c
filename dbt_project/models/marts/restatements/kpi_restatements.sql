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

cuts as ( {{ published_cuts(['day', 'week', 'month']) }} ),

spans as (
    select distinct
        metric, variant, period_start as first_day,
        case grain when 'month' then {{ add_month('period_start') }} - 1 when 'week' then period_start + 6 else period_start end as last_day
    from restated
),

-- Where each of the changed rows counted or counts: by these columns, all of them, a number finds its rows.
placed as (
    select
        metric, variant, coalesce(currency, '') as currency, cuts.grain, {{ cut_period('cuts.grain', 'period_date') }} as period_start,
        cuts.dimension, {{ cut_value('cuts.dimension') }} as dimension_value,
        entity_type, entity_id, coalesce(entity_no, entity_id) as entity_no, is_arrived, is_correction
    from {{ ref('int_kpi_changed_facts') }}
    cross join cuts
    -- Most of what is new counts on days that nobody had published.
    where (metric, variant, period_date) in (
        select metric, variant, local_day from ({{ days_from_to('first_day', 'last_day') }}, metric, variant from spans) as days
    )
),

-- The rows that moved the number: into it, out of it or within it.
moved as (
    select distinct
        {{ number_columns('restated.') }}, restated.version,
        placed.entity_type, placed.entity_id, placed.entity_no, placed.is_arrived, placed.is_correction
    from restated
    inner join placed
        on restated.metric = placed.metric and restated.variant = placed.variant and restated.currency = placed.currency
        and restated.grain = placed.grain and restated.period_start = placed.period_start
        and restated.dimension = placed.dimension and restated.dimension_value = placed.dimension_value
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
