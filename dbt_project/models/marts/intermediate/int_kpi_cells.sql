{{ config(materialized='incremental', incremental_strategy='cells') }}
{{ waits_for('int_kpi_changed_periods') }}
{%- set number = 'metric, variant, aggregation, unit, currency' %}
{%- set few = kpi_dimension_names() | reject('equalto', 'customer_id') | join(', ') %}
{%- set month = period_start('month', 'period_date') %}
-- What can be added is added up by the day first, and by the month of a customer: there are far fewer of those than
-- facts, and every number is a sum of some.
select
    {{ number }}, period_date as period_start, period_date as first_day, period_date as last_day, {{ few }},
    cast(null as string) as customer_id,
    {{ fact_sums() }}
from ({{ facts_of_changed('day') }}) as facts
group by {{ number }}, period_date, {{ few }}

union all

select
    {{ number }}, {{ month }} as period_start, min(period_date) as first_day, max(period_date) as last_day,
    {%- for name in few.split(', ') %} null as {{ name }},{% endfor %} customer_id,
    {{ fact_sums() }}
from ({{ facts_of_changed('month') }}) as facts
where customer_id is not null
group by {{ number }}, {{ month }}, customer_id
