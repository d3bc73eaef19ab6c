{# The end of a fact that is counted and neither timed nor of a shipment: from `duration_s` on. #}
{% macro counted_fact(numerator, denominator, aggregation, unit, amount='cast(null as decimal(18, 4))') -%}
    cast(null as double) as duration_s,
    {{ amount }} as amount,
    {{ numerator }} as numerator,
    {{ denominator }} as denominator,
    '{{ aggregation }}' as aggregation,
    '{{ unit }}' as unit,
    cast(null as string) as currency,
{%- endmacro %}

{# The dimensions of a fact that has none but its connection. #}
{% macro connection_dimensions(connection='connection') -%}
    cast(null as string) as company_id, cast(null as string) as customer_id, cast(null as string) as depot_id,
    cast(null as string) as region, cast(null as string) as carrier_id, {{ connection }} as connection,
    cast(null as string) as severity, cast(null as string) as made_by
{%- endmacro %}

{# What facts add up to, as columns: how many stand how, and what those that are in add above and below the line. A sum
   of whole numbers is as wide as DuckDB has them: kept so, it would be read back many times slower than a plain one. #}
{% macro fact_sums() -%}
    {%- for standing, name in [('in', 'n'), ('open', 'n_open'), ('negative', 'n_negative'), ('excluded', 'n_excluded')] %}
    cast(sum(case when standing = '{{ standing }}' then 1 else 0 end) as bigint) as {{ name }},
    {%- endfor %}
    {%- for name in ['numerator', 'denominator'] %}
    cast(sum({{ name }}) as bigint) as {{ name }},
    {%- endfor %}
    sum(case when standing = 'in' then amount end) as amount
{%- endmacro %}
