{{ waits_for('int_kpi_changed_periods') }}
{% set value = cut_value('cuts.dimension') %}
{% set number = 'metric, variant, aggregation, unit, currency' %}
{% set counts = ['n', 'n_open', 'n_negative', 'n_excluded'] %}
{% set sums = counts + ['numerator', 'denominator', 'amount'] %}
{% set names = kpi_dimension_names() | join(', ') %}
{% set partly = builds_on() %}
with cuts as ( {{ published_cuts() }} ),
-- All of time tells no day from another: what agrees in all dimensions is added up before it is cut by each.
cells as (
    select {{ number }}, {{ names }}, false as is_ever, first_day, last_day, {{ sums | join(', ') }}
    from {{ ref('int_kpi_cells') }}
    where first_day is not null {%- if partly %} and {{ is_of_changed(['month', 'week'], 'period_start') }}{% endif %}
    union all
    select
        {{ number }}, {{ names }}, true as is_ever, min(first_day), max(last_day),
        {%- for name in sums %} sum({{ name }}){{ ',' if not loop.last }}{% endfor %}
    from {{ ref('int_kpi_cells') }}
    {%- if partly %}
    where (metric, variant) in (select metric, variant from {{ ref('int_kpi_changed_periods') }})
    {%- endif %}
    group by {{ number }}, {{ names }}
),

counted as (
    select
        {{ number }}, cuts.grain, {{ cut_period('cuts.grain', 'first_day') }} as period_start, cuts.dimension,
        {{ value }} as dimension_value,
        {%- for name in sums %} sum({{ name }}) as {{ name }},{% endfor %}
        min(first_day) as first_day, max(last_day) as last_day
    from cells
    inner join cuts on (cells.customer_id is null) = (cuts.dimension <> 'customer') and cells.is_ever = (cuts.grain = 'all')
    where {{ value }} is not null
    group by {{ number }}, cuts.grain, {{ cut_period('cuts.grain', 'first_day') }}, cuts.dimension, {{ value }}
),

{% if partly -%}
-- Read once for all the days, weeks and months in which something changed.
near as (
    select standing, metric, variant, period_date, duration_s, {{ names }}
    from {{ ref('kpi_facts') }}
    where standing = 'in' and duration_s is not null
        and {{ is_of_changed(['month', 'week'], 'period_date') }}
),

{% endif -%}
ever as ( {{ shares_of_all_time('counted') }} ),
percentiles as (
    {{ period_percentiles('near' if partly else ref('kpi_facts')) }}
    union all
    {{ percentiles_of_all_time(ref('kpi_facts'), 'ever') }}
)

select
    counted.metric, counted.grain, counted.period_start, counted.dimension, counted.dimension_value,
    cast(n as bigint) as n,
    cast(case when aggregation in ('ratio', 'mean', 'per_100') then coalesce(numerator, 0) end as bigint) as numerator,
    cast(case when aggregation in ('ratio', 'mean', 'per_100') then coalesce(denominator, 0) end as bigint) as denominator,
    cast(
        case aggregation
            when 'median' then {{ list_item('shares', 1) }}
            when 'sum' then amount
            when 'per_day' then cast(amount as double) / {{ period_days('counted.grain', 'counted.period_start', 'first_day', 'last_day') }}
            when 'per_100' then 100 * cast(numerator as double) / nullif(denominator, 0)
            else cast(numerator as double) / nullif(denominator, 0)
        end as decimal(28, 6)
    ) as value,
    {{ list_item('shares', 1) }} as p50,
    {%- for name in ['p90', 'p95'] %} case when n >= 20 then {{ list_item('shares', loop.index + 1) }} end as {{ name }},{% endfor %}
    {% for name in counts[1:] %}cast({{ name }} as bigint) as {{ name }}, {% endfor -%}
    unit, currency, counted.variant, {{ as_of() }} as as_of
from counted
left join percentiles
    on counted.metric = percentiles.metric and counted.variant = percentiles.variant
    and counted.grain = percentiles.grain and counted.dimension = percentiles.dimension
    and counted.dimension_value = percentiles.dimension_value and counted.period_start is not distinct from percentiles.period_start
{%- if partly %}
-- Of all other periods nothing has changed.
where exists ( {{ changed_period('counted') }} )
{%- endif %}
