{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='append_new_columns') }}
{{ waits_for('int_kpi_changed_periods') }}
{%- set measures = number_measures() %}
{%- set now, before = as_of(), last_published('published_at') %}
{%- set partly = is_incremental() and builds_on() %}
-- Every number of a period that is over, each time it says something new. What was published cannot be computed
-- again from what is known today, so a full refresh keeps this table.
with numbers as (
    select {{ number_columns() | replace('currency', "coalesce(currency, '') as currency") }},
        {% for name in measures %}{{ name }}{{ ', ' if not loop.last }}{% endfor %}
    from {{ ref('kpi_values') }}
    where grain <> 'all' and n > 0 and {{ is_closed('grain', 'period_start', now) }}
        {%- if partly %} and {{ may_be_news() }}{% endif %}
)

{% if is_incremental() -%}
, latest as (
    select *
    from (
        select *, row_number() over (partition by {{ number_columns() }} order by version desc) as newest_first
        from {{ this }}
        {%- if partly %}
        where {{ may_be_news() }}
        {%- endif %}
    ) as versions
    where newest_first = 1
),

known as (
    select distinct metric, variant, dimension from {{ this }}
),

compared as (
    select
        {{ number_columns() }}, latest.version, latest.published_at as published_before_at,
        {%- for name in measures %}
        numbers.{{ name }}, latest.{{ name }} as {{ name }}_before{{ ',' if not loop.last }}
        {%- endfor %}
    from numbers
    full outer join latest using ({{ number_columns() }})
)

select
    {{ number_columns('compared.') }},
    coalesce(compared.version, 0) + 1 as version,
    -- A number that nobody had published is news where its period was over before, and its metric was there.
    compared.version is not null
    or (known.dimension is not null and {{ is_closed('compared.grain', 'compared.period_start', before) }}) as is_restatement,
    coalesce(compared.published_before_at, case when known.dimension is not null then {{ before }} end) as published_before_at,
    {{ now }} as published_at,
    {%- for name in measures %}
    {{ 'coalesce(compared.n, 0)' if name == 'n' else 'compared.' ~ name }} as {{ name }},
    {{ 'coalesce(compared.n_before, 0)' if name == 'n' else 'compared.' ~ name ~ '_before' }} as {{ name }}_before
    {{- ',' if not loop.last }}
    {%- endfor %}
from compared
left join known
    on compared.metric = known.metric and compared.variant = known.variant and compared.dimension = known.dimension
where
    {{ goes_on() }}
    and (
        compared.version is null
        {%- for name in measures %}
        or {{ 'coalesce(compared.n, 0)' if name == 'n' else 'compared.' ~ name }} is distinct from compared.{{ name }}_before
        {%- endfor %}
    )
{%- else %}
select
    {{ number_columns() }}, 1 as version, false as is_restatement, {{ instant('null') }} as published_before_at,
    {{ now }} as published_at,
    {%- for name in measures %}
    {{ name }}, case when false then {{ name }} end as {{ name }}_before{{ ',' if not loop.last }}
    {%- endfor %}
from numbers
{%- endif %}
