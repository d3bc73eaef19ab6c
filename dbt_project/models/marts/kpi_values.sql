{{ waits_for('int_kpi_changed_periods') }}
{% set value = cut_value('cuts.dimension') %}
{% set number = 'metric, variant, aggregation, unit, currency' %}
{% set counts = ['n', 'n_open', 'n_negative', 'n_excluded'] %}
{% set sums = counts + ['numerator', 'denominator', 'amount'] %}
{% set names = kpi_dimension_names() | join(', ') %}
{% set partly = builds_on() %}
with cuts as ( {{ published_cuts() }} ),
-- Each number is a sum of cells: those of a period are added up before they are cut by each dimension.
cells as (
    {%- for grain in ['day', 'week', 'month', 'all'] %}
    {%- set period = period_start(grain, 'cell.first_day') %}
    select
        {{ number }}, {{ names }}, '{{ grain }}' as grain, {{ period }} as period_start,
        min(cell.first_day) as first_day, max(cell.last_day) as last_day,
        {%- for name in sums %} sum(cell.{{ name }}) as {{ name }}{{ ',' if not loop.last }}{% endfor %}
    from {{ ref('int_kpi_cells') }} as cell
    where {{ 'true' if grain == 'all' else 'cell.first_day is not null' }}
        {%- if grain in ['day', 'week'] %} and customer_id is null{% endif %}
        {%- if partly %} and {{ is_changed(grain, period) }}{% endif %}
    group by {{ number }}, {{ names }} {{- ', ' ~ period if grain != 'all' }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        {{ number }}, cuts.grain, period_start, cuts.dimension, {{ value }} as dimension_value,
        {%- for name in sums %} sum({{ name }}) as {{ name }},{% endfor %}
        min(first_day) as first_day, max(last_day) as last_day
    from cells
    inner join cuts on cells.grain = cuts.grain and (cells.customer_id is null) = (cuts.dimension <> 'customer')
    where {{ value }} is not null
    group by {{ number }}, cuts.grain, period_start, cuts.dimension, {{ value }}
),

{% if partly -%}
-- Read once for all the days, weeks and months in which something changed, and told apart once for all dimensions.
near as (
    select metric, variant, period_date, duration_s, {{ names }}
    from {{ ref('kpi_facts') }}
    where standing = 'in' and duration_s is not null and {{ is_of_changed(['month', 'week'], 'period_date') }}
),
{% for grain in ['day', 'week', 'month'] %}{% set period = period_start(grain, 'period_date') %}
near_{{ grain }} as ( select *, {{ period }} as period_start from near where {{ is_changed(grain, period) }} ),
{% endfor %}
{% endif -%}
ever as ( {{ shares_of_all_time('counted') }} ),
percentiles as (
    {{ period_percentiles(partly) }}
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
