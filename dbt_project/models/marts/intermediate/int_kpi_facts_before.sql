{{ config(materialized='table') }}
{{ waits_for('touched_by_push') }}
{{ waits_for('touched_vehicle_days') }}
{%- set kept = left_behind('marts', 'kpi_facts') %}
{%- set noted = left_behind('intermediate', 'int_kpi_facts_before') %}
{% if builds_on() -%}
with earlier as (
    -- A run that went on from the same build and broke off may have replaced facts. How those stood before, it knows.
    {%- if noted and 'built_on' in (adapter.get_columns_in_relation(noted) | map(attribute='name')) %}
    select * from {{ noted }}
    where built_on = {{ last_built_at() }}
    {%- else %}
    select 'begun' as standing, {{ fact_columns() }}, {{ last_built_at() }} as built_on, true as is_sure from {{ kept }}
    where false
    {%- endif %}
)

-- How the facts that this run replaces stood before: kpi_facts waits for it.
select standing, {{ fact_columns() }}, {{ last_built_at() }} as built_on, not exists (select 1 from earlier) as is_sure
from {{ kept }}
where {{ few_of(kept, "standing <> 'out' and " ~ is_touched({'fact': 'entity_no'}, model)) }}
union all
select * from earlier
union all
-- That it has begun shows also where it replaces nothing.
select 'begun' as standing, {{ fact_columns() }}, {{ last_built_at() }} as built_on, true as is_sure
from (select 1 as one) as mark
left join (select * from {{ kept }} where false) as none_of_them on true
where not exists (select 1 from earlier)
{%- else -%}
-- Everything is built, so nothing is compared.
select cast(null as string) as standing
where false
{%- endif %}
