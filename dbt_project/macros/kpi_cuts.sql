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

{# Percentiles of the days, weeks and months, from a relation of facts that are in and timed. They are of the rows
   themselves, never of other numbers. Each cut reads the columns that it needs: joined with their cuts the facts
   would be held many times over. #}
{% macro period_percentiles(facts) -%}
    {%- for grain in ['day', 'week', 'month'] %}
    {%- set last_grain = loop.last %}
    {%- for name in ['all'] + (kpi_dimension_names() | list) if name != 'customer_id' or grain == 'month' %}
    {%- set period = period_start(grain, 'period_date') %}
    select
        metric, variant, '{{ grain }}' as grain, {{ period }} as period_start,
        '{{ name | replace('_id', '') }}' as dimension, {{ name if name != 'all' else "'all'" }} as dimension_value,
        {{ quantiles_disc('duration_s', [0.5, 0.9, 0.95]) }} as shares
    from {{ facts }}
    where standing = 'in' and duration_s is not null and period_date is not null {{- ' and ' ~ name ~ ' is not null' if name != 'all' }}
        {%- if builds_on() %} and {{ is_changed(grain, period) }}{% endif %}
    group by metric, variant, {{ period }} {{- ', ' ~ name if name != 'all' }}
    {{ 'union all' if not (last_grain and loop.last) }}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{# The values of each dimension that rows of all time have, from a relation of counted numbers, and whether one value has
   all of them. #}
{% macro shares_of_all_time(counted) -%}
    select parts.*, parts.n = totals.n as is_whole
    from (
        select metric, variant, dimension, dimension_value, sum(n) as n from {{ counted }}
        where grain = 'all'
        group by metric, variant, dimension, dimension_value
        having sum(n) > 0
    ) as parts
    inner join (
        select metric, variant, sum(n) as n from {{ counted }}
        where grain = 'all' and dimension = 'all'
        group by metric, variant
    ) as totals on parts.metric = totals.metric and parts.variant = totals.variant
{%- endmacro %}

{# Percentiles of all of time, of the rows again: a value that has all rows of a metric has its percentiles, and only a
   dimension that divides them is looked at by itself. #}
{% macro percentiles_of_all_time(facts, shares) -%}
    select shares.metric, shares.variant, 'all' as grain, {{ period_start('all') }} as period_start, dimension, dimension_value, whole.shares
    from {{ shares }} as shares
    inner join (
        select metric, variant, {{ quantiles_disc('duration_s', [0.5, 0.9, 0.95]) }} as shares
        from {{ facts }}
        where standing = 'in' and duration_s is not null and (metric, variant) in (select metric, variant from {{ shares }})
        group by metric, variant
    ) as whole on shares.metric = whole.metric and shares.variant = whole.variant
    where shares.is_whole
    {%- for name in kpi_dimension_names() %}
    union all
    select
        metric, variant, 'all' as grain, {{ period_start('all') }} as period_start,
        '{{ name | replace('_id', '') }}' as dimension, {{ name }} as dimension_value,
        {{ quantiles_disc('duration_s', [0.5, 0.9, 0.95]) }} as shares
    from {{ facts }}
    where standing = 'in' and duration_s is not null and {{ name }} is not null and (metric, variant) in (
        select metric, variant from {{ shares }} where dimension = '{{ name | replace('_id', '') }}' and not is_whole
    )
    group by metric, variant, {{ name }}
    {%- endfor %}
{%- endmacro %}
