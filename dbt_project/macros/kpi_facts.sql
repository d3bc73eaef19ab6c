{# Every fact, from the models of its metrics: of all rows, or in a run that builds on another of the touched ones. #}
{% macro all_facts() -%}
with facts as (
    {%- for part in [
        'cycle_times', 'business_times', 'delivery', 'orders',
        'invoicing', 'commitments', 'perfect_orders', 'control',
        'cash', 'exceptions', 'data_issues', 'etas',
        'fleet', 'stops', 'integration', 'feeds',
        'partners', 'touches'
    ] %}
    select * from {{ ref('int_kpi__' ~ part) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    metric, variant, aggregation, entity_type, entity_id, entity_no, standing, why, period_date, unit, currency,
    cast(duration_s as double) as duration_s,
    cast(amount as decimal(18, 4)) as amount,
    -- What does not count adds nothing, whoever adds it up.
    case when standing = 'in' then numerator end as numerator,
    case when standing = 'in' then denominator end as denominator,
    age_days,
    company_id, customer_id, depot_id, region, carrier_id, connection, severity, made_by
from facts
{%- endmacro %}

{# The facts that count in changed periods of a grain, and in a changed metric without a day of their own; all that count where
   everything is built. #}
{% macro facts_of_changed(grain) -%}
    select * from {{ ref('kpi_facts') }}
    where standing <> 'out'
    {%- if builds_on() %} and {{ is_of_changed([grain], 'period_date') }}
    union all
    select * from {{ ref('kpi_facts') }}
    where standing <> 'out' and period_date is null
        and (metric, variant) in (select metric, variant from {{ ref('int_kpi_changed_periods') }})
    {%- endif %}
{%- endmacro %}
