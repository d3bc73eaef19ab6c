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

{# Percentiles of periods of some grains, from a relation of facts that are in and timed. They are of the rows
   themselves, never of other numbers. Each cut reads the columns that it needs: joined with their cuts the facts
   would be held many times over. #}
{% macro number_percentiles(facts, grains) -%}
    {%- for grain in grains %}
    {%- set last_grain = loop.last %}
    {%- for name in ['all'] + (kpi_dimension_names() | list) if name != 'customer_id' or grain in ['month', 'all'] %}
    {%- set period = period_start(grain, 'period_date') %}
    select
        metric, variant, '{{ grain }}' as grain, {{ period }} as period_start,
        '{{ name | replace('_id', '') }}' as dimension, {{ name if name != 'all' else "'all'" }} as dimension_value,
        {{ quantiles_disc('duration_s', [0.5, 0.9, 0.95]) }} as shares
    from {{ facts }}
    where standing = 'in' and duration_s is not null {{- ' and ' ~ name ~ ' is not null' if name != 'all' }}
        {{- ' and period_date is not null' if grain != 'all' }}
        {%- if builds_on() %} and {{ is_changed(grain, period) }}{% endif %}
    group by metric, variant {{- ', ' ~ period if grain != 'all' }}{{ ', ' ~ name if name != 'all' }}
    {{ 'union all' if not (last_grain and loop.last) }}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}
