{# What is measured of each row and then divided by what it is measured against, as facts: shares of time, way and
   weight, and means. `scope` says which rows can count at all, `known` which of them can be judged. A metric in seconds has percentiles of `duration` beside its mean. #}
{% macro measured_facts(metric, variant, entity, scope, why_not, known, why_unknown, day, numerator, denominator,
        unit='ratio', duration='cast(null as double)') -%}
    select
        '{{ metric }}' as metric,
        '{{ variant }}' as variant,
        '{{ entity }}' as entity_type,
        {{ entity }}_id as entity_id,
        {{ entity }}_no as entity_no,
        case
            when not coalesce({{ scope }}, false) then 'out'
            when not coalesce({{ known }}, false) then 'excluded'
            else 'in'
        end as standing,
        case
            when not coalesce({{ scope }}, false) then {{ why_not }}
            when not coalesce({{ known }}, false) then {{ why_unknown }}
        end as why,
        {{ day }} as period_date,
        {{ duration }} as duration_s,
        cast(null as decimal(18, 4)) as amount,
        cast(round({{ numerator }}) as bigint) as numerator,
        cast(round({{ denominator }}) as bigint) as denominator,
        'mean' as aggregation,
        '{{ unit }}' as unit,
        cast(null as string) as currency,
        cast(null as string) as age_days,
        {{ kpi_dimensions() }}
{%- endmacro %}
