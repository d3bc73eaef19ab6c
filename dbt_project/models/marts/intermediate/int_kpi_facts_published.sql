{{ waits_for('int_kpi_facts_now') }}
{{ waits_for('kpi_facts') }}
{%- set kept = left_behind('intermediate', 'int_kpi_facts_published') %}
-- Written once all that this run restates is written down, so that a run which breaks off before is none.
-- depends_on: {{ ref('int_kpi_publications') }}
select {{ fact_columns() }}, {{ fact_node() }} as node
from {{ ref('int_kpi_facts_now' if builds_on() else 'kpi_facts') }}
where standing = 'in' and {{ as_of() }} >= {{ last_published('published_at') }}
{%- if kept %}
{%- set is_older = '1 in (select 1 as one where ' ~ as_of() ~ ' < ' ~ last_published('published_at') ~ ')' %}
union all
select {{ fact_columns() }}, {{ fact_node() }} as node
from {{ kept }}
where {{ is_older }} {%- if builds_on() %} and {{ is_touched({'node': 'node'}, model) }}{% endif %}
{%- endif %}
