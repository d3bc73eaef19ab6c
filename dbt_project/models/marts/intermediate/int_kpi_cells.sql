-- depends_on: {{ ref('int_kpi_changed_periods') }}
{% set number = 'metric, variant, aggregation, unit, currency' %}
{% set few = kpi_dimension_names() | reject('equalto', 'customer_id') | join(', ') %}
with facts as (
    select * from {{ ref('kpi_facts') }}
    where standing <> 'out'
    {%- if builds_on() %}
        and (metric, variant) in (select metric, variant from {{ ref('int_kpi_changed_periods') }})
    {%- endif %}
)

-- What can be added is added up by the day first, and by the month of a customer: there are far fewer of those than
-- facts, and every number is a sum of some.
select
    {{ number }}, period_date as first_day, period_date as last_day, {{ few }}, cast(null as varchar) as customer_id,
    {{ fact_sums() }}
from facts
group by {{ number }}, period_date, {{ few }}
union all
select
    {{ number }}, min(period_date) as first_day, max(period_date) as last_day,
    {%- for name in few.split(', ') %} null as {{ name }},{% endfor %} customer_id,
    {{ fact_sums() }}
from facts
where customer_id is not null
group by {{ number }}, {{ period_start('month', 'period_date') }}, customer_id
