{{ waits_for('int_kpi_facts_before') }}
{{ waits_for('int_kpi_facts_now') }}
{{ waits_for('kpi_facts') }}
{%- set published = left_behind('intermediate', 'int_kpi_facts_published') %}
{#- What this run has replaced is what was published, unless another run has replaced some of it since. All that was
    published is large: it is read only then. -#}
{%- set known = published_as_built() ~ ' and not exists (select 1 from ' ~ ref('int_kpi_facts_before') ~ ' where not is_sure)' %}
with compared as (
    select {{ fact_columns() }}, 0 as was_there, 1 as is_there from {{ ref('int_kpi_facts_now' if builds_on() else 'kpi_facts') }}
    where standing = 'in'
    {%- if builds_on() and published %}
    union all
    select {{ fact_columns() }}, 1 as was_there, 0 as is_there from {{ ref('int_kpi_facts_before') }}
    where standing = 'in' and 1 in (select 1 as one where {{ known }})
    union all
    select {{ fact_columns() }}, 1 as was_there, 0 as is_there from {{ published }}
    where 1 in (select 1 as one where not ({{ known }})) and {{ is_touched({'node': 'node'}, model) }}
    {%- elif published %}
    union all
    select {{ fact_columns() }}, 1 as was_there, 0 as is_there from {{ published }}
    {%- else %}
    and false
    {%- endif %}
),

-- Where it counted, and where it counts now. Before the first publication nothing counted otherwise.
changed as (
    select {{ fact_columns() }}
    from compared
    group by {{ fact_columns() }}
    having max(was_there) = 0 or max(is_there) = 0
)

-- Of kinds that nothing is noted about when it arrives, what changed is what arrived.
select
    changed.*,
    touched.entity_id is not null or changed.entity_type not in ('shipment', 'order', 'invoice', 'stop', 'arrival') as is_arrived,
    coalesce(touched.is_correction, false) as is_correction
from changed
left join {{ ref('int_kpi_touched') }} as touched
    on changed.entity_type = touched.entity_type and changed.entity_id = touched.entity_id
