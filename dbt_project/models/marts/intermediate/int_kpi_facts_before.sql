{{ config(materialized='table') }}
{{ waits_for('touched_by_push') }}
{%- set kept = left_behind('marts', 'kpi_facts') %}
{% if builds_on() -%}
-- How the facts that this run replaces stood before: kpi_facts waits for it.
select standing, {{ fact_columns() }}
from {{ kept }}
where {{ is_touched({'fact': 'entity_no'}, model) }} and standing <> 'out'
{%- else -%}
-- Everything is built, so nothing is compared.
select cast(null as varchar) as standing
where false
{%- endif %}
