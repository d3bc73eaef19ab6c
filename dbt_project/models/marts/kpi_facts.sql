{{ waits_for('int_kpi_facts_now') }}
{%- if builds_on() %}
select * from {{ ref('int_kpi_facts_now') }}
{%- else %}
{{ all_facts() }}
{%- endif %}
