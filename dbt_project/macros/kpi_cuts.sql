{# The periods and dimensions by which numbers are published, as rows. Customers are too many for days and weeks:
   their numbers would be as many as the facts themselves. #}
{% macro published_cuts(grains=['day', 'week', 'month', 'all']) -%}
    {%- set found = [] -%}
    {%- for grain in grains -%}
        {%- do found.append("select '" ~ grain ~ "' as grain, 'all' as dimension") -%}
        {%- for name in kpi_dimension_names() if name != 'customer_id' or grain in ['month', 'all'] -%}
            {%- do found.append("select '" ~ grain ~ "' as grain, '" ~ name | replace('_id', '') ~ "' as dimension") -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ found | join(' union all\n    ') }}
{%- endmacro %}

{# What a row says of the dimension that a cut names. #}
{% macro cut_value(dimension) -%}
    case {{ dimension }}
        when 'all' then 'all'
        {%- for name in kpi_dimension_names() %}
        when '{{ name | replace('_id', '') }}' then {{ name }}
        {%- endfor %}
    end
{%- endmacro %}

{# The first day of the period of the grain that a cut names. #}
{% macro cut_period(grain, day) -%}
    case {{ grain }}
        {%- for name in ['day', 'week', 'month'] %}
        when '{{ name }}' then {{ period_start(name, day) }}
        {%- endfor %}
    end
{%- endmacro %}

{# What the facts of a relation add up to. What can be added is added up by the day first, and by the month of a
   customer: there are far fewer of those than facts, and every number is a sum of some. #}
{% macro number_cells(facts) -%}
    {%- set number = 'metric, variant, aggregation, unit, currency' -%}
    {%- set few = kpi_dimension_names() | reject('equalto', 'customer_id') | join(', ') -%}
    select
        {{ number }}, period_date as first_day, period_date as last_day, {{ few }}, cast(null as varchar) as customer_id,
        {{ fact_sums() }}
    from {{ facts }}
    group by {{ number }}, period_date, {{ few }}
    union all
    select
        {{ number }}, min(period_date) as first_day, max(period_date) as last_day,
        {%- for name in few.split(', ') %} null as {{ name }},{% endfor %} customer_id,
        {{ fact_sums() }}
    from {{ facts }}
    where customer_id is not null
    group by {{ number }}, {{ period_start('month', 'period_date') }}, customer_id
{%- endmacro %}
