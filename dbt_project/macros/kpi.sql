{# Percentiles by quantile_disc: observed values, which one can open. Several at a time, as a list: each by itself
   would keep all rows once more. #}
{% macro quantiles_disc(expression, shares) -%}
    {{ return(adapter.dispatch('quantiles_disc')(expression, shares)) }}
{%- endmacro %}

{% macro duckdb__quantiles_disc(expression, shares) -%}
    quantile_disc({{ expression }}, {{ shares }})
{%- endmacro %}

{% macro spark__quantiles_disc(expression, shares) -%}
    array({% for share in shares %}percentile_disc({{ share }}) within group (order by {{ expression }})
    {{- ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# An item of a list, counted from 1; NULL beyond its end. #}
{% macro list_item(items, place) -%}
    {{ return(adapter.dispatch('list_item')(items, place)) }}
{%- endmacro %}

{% macro duckdb__list_item(items, place) -%}
    {{ items }}[{{ place }}]
{%- endmacro %}

{% macro spark__list_item(items, place) -%}
    get({{ items }}, {{ place }} - 1)
{%- endmacro %}

{# The first day of the period of a grain that a day falls in; NULL for `all`. #}
{% macro period_start(grain, day) -%}
    {%- if grain == 'all' -%} cast(null as date)
    {%- elif grain == 'day' -%} {{ day }}
    {%- else -%} cast(date_trunc('{{ grain }}', {{ day }}) as date)
    {%- endif -%}
{%- endmacro %}

{# The instant at which the local day after `instant`'s begins in `zone`: where a date promise ends. #}
{% macro end_of_local_day(instant, zone) -%}
    {{ end_of_day(local_date(instant, zone), zone) }}
{%- endmacro %}

{# The instant at which a local day ends in `zone`. #}
{% macro end_of_day(day, zone) -%}
    {{ local_midnight(next_day(day), zone) }}
{%- endmacro %}

{# One cycle time as facts. `scope` is the SQL of (is in scope, why not); every shipment gets one row with
   what became of it, so that a number can be followed to the rows that are in, out and why. `measured` says how
   long it took where that is not the time between the two; what is open has an age. #}
{% macro duration_facts(metric, started, ended, zone, scope, why_not, variant='default', entity='shipment', connection='source_system', measured=none,
        severity='cast(null as string)') -%}
    select
        '{{ metric }}' as metric,
        '{{ variant }}' as variant,
        '{{ entity }}' as entity_type,
        {{ entity }}_id as entity_id,
        {{ entity }}_no as entity_no,
        case
            when not coalesce({{ scope }}, false) or coalesce({{ started }}, {{ ended }}) is null then 'out'
            when {{ ended }} is null then 'open'
            when {{ started }} is null or time_quality in ('gap', 'ambiguous') then 'excluded'
            when {{ ended }} < {{ started }} then 'negative'
            else 'in'
        end as standing,
        case
            when not coalesce({{ scope }}, false) then {{ why_not }}
            when coalesce({{ started }}, {{ ended }}) is null then 'it has not started'
            when {{ ended }} is null then 'it has not ended'
            when {{ started }} is null then 'nobody knows when it started'
            when time_quality in ('gap', 'ambiguous') then 'its local time is not sure'
            when {{ ended }} < {{ started }} then 'it ended before it started'
        end as why,
        {{ local_date('case when ' ~ ended ~ ' is not null then ' ~ ended ~ ' when coalesce(' ~ scope ~ ', false) and ' ~ started ~ ' is not null then as_of end', zone) }} as period_date,
        {{ measured or epoch_s(ended) ~ ' - ' ~ epoch_s(started) }} as duration_s,
        cast(null as decimal(18, 4)) as amount,
        cast(null as bigint) as numerator,
        cast(null as bigint) as denominator,
        'median' as aggregation,
        's' as unit,
        cast(null as string) as currency,
        case
            when coalesce({{ scope }}, false) and {{ started }} is not null and {{ ended }} is null
                then {{ age_bucket(epoch_s('as_of') ~ ' - ' ~ epoch_s(started)) }}
        end as age_days,
        {{ kpi_dimensions(connection, severity) }}
{%- endmacro %}

{# The columns of a fact by which a number may be cut, from a relation that has the first ones; the others are
   named or do not apply. #}
{% macro kpi_dimensions(connection='source_system', severity='cast(null as string)') -%}
    company_id, customer_id, depot_id, region, carrier_id, {{ connection }} as connection, {{ severity }} as severity,
    made_by
{%- endmacro %}

{% macro kpi_dimension_names() -%}
    {{ return(['company_id', 'customer_id', 'depot_id', 'region', 'carrier_id', 'connection', 'severity', 'made_by', 'age_days']) }}
{%- endmacro %}

{# Days of a period: what an amount per day is divided by; of `all`, from its first day to its last. #}
{% macro period_days(grain, period_start, first_day, last_day) -%}
    case {{ grain }}
        when 'day' then 1
        when 'week' then 7
        when 'month' then {{ days_between(period_start, add_month(period_start)) }}
        else {{ days_between(first_day, last_day) }} + 1
    end
{%- endmacro %}
