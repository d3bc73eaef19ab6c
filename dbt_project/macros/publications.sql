{# What was published before: tables that a run reads as the last one left them, and that no full refresh drops. #}

{# The table that an earlier run left under this name, or none. Not a `ref`: it is read before it is built again. #}
{% macro left_behind(schema, table) -%}
    {{ return(adapter.get_relation(database=target.database, schema=schema, identifier=table) if execute else none) }}
{%- endmacro %}

{# The newest value of a column of the last publications; NULL before the first. #}
{% macro last_published(column) -%}
    {%- set runs = left_behind('intermediate', 'int_kpi_publications') -%}
    {%- if runs -%} (select max({{ column }}) from {{ runs }})
    {%- else -%} {{ instant('null') }}
    {%- endif -%}
{%- endmacro %}

{# True when this run is not older than what was published: an answer as of last week restates nothing. #}
{% macro goes_on() -%}
    {{ as_of() }} >= coalesce({{ last_published('published_at') }}, {{ as_of() }})
{%- endmacro %}

{# True when the last publication is of the build that this run goes on from: what no changed fact belongs to is published as
   it stands. Not so after a run that published and broke off, or that was older than what was published. #}
{% macro published_as_built() -%}
    coalesce({{ last_built_at() }} = {{ last_published('published_at') }}, false)
{%- endmacro %}

{# True when a period is over wherever on earth its days are counted. #}
{% macro is_closed(grain, period_start, instant) -%}
    {{ local_date(instant, "'Etc/GMT+12'") }} >= case {{ grain }}
        when 'day' then {{ period_start }} + 1
        when 'week' then {{ period_start }} + 7
        when 'month' then {{ add_month(period_start) }}
    end
{%- endmacro %}

{# The columns that name a published number; without a currency it is empty, so that they can be joined on. #}
{% macro number_key() -%}
    {{ return(['metric', 'variant', 'unit', 'currency', 'grain', 'period_start', 'dimension', 'dimension_value']) }}
{%- endmacro %}

{% macro number_columns(of='') -%}
    {%- for name in number_key() %}{{ of }}{{ name }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{# What a published number says. #}
{% macro number_measures() -%}
    {{ return(['value', 'n', 'numerator', 'denominator', 'p90', 'p95']) }}
{%- endmacro %}

{# What decides how a fact counts: two facts that agree on these make the same numbers. #}
{% macro fact_columns() -%}
    metric, variant, currency, entity_type, entity_id, entity_no, period_date, duration_s, amount, numerator, denominator,
    age_days, company_id, customer_id, depot_id, region, carrier_id, connection, severity, made_by
{%- endmacro %}
