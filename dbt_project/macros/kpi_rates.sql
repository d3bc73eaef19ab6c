{# One rate as facts: `scope` says which rows can count at all, `known` which of them can be judged (the rest is
   excluded), `met` which of those meet it. `why_met` is for rates of what goes wrong. #}
{% macro rate_facts(metric, variant, scope, why_not, known, why_unknown, met, why_missed, day, zone, entity='shipment', connection='source_system', why_met='null') -%}
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
            when not coalesce({{ met }}, false) then {{ why_missed }}
            else {{ why_met }}
        end as why,
        {{ local_date('coalesce(' ~ day ~ ', case when coalesce(' ~ scope ~ ', false) and coalesce(' ~ known ~ ', false) then as_of end)', zone) }} as period_date,
        cast(null as double) as duration_s,
        cast(null as decimal(18, 4)) as amount,
        cast(case when coalesce({{ met }}, false) then 1 else 0 end as bigint) as numerator,
        cast(1 as bigint) as denominator,
        'ratio' as aggregation,
        'ratio' as unit,
        cast(null as string) as currency,
        cast(null as string) as age_days,
        {{ kpi_dimensions(connection) }}
{%- endmacro %}
