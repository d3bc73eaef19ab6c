{%- set published = left_behind('intermediate', 'int_kpi_facts_published') %}
with present as (
    select {{ fact_columns() }} from {{ ref('kpi_facts') }}
    where standing = 'in'
),

{%- if published %}

published as (
    select {{ fact_columns() }} from {{ published }}
    {%- if builds_on() %}
    where {{ is_touched({'fact': 'entity_no'}, model) }}
    {%- endif %}
),
{%- endif %}

-- Where it counted, and where it counts now. Before the first publication nothing counted otherwise.
changed as (
    {%- if published %}
    (select * from published except select * from present)
    union all
    (select * from present except select * from published)
    {%- else %}
    select * from present where false
    {%- endif %}
)

-- Of kinds that nothing is noted about when it arrives, what changed is what arrived.
select
    changed.*,
    touched.entity_id is not null or changed.entity_type not in ('shipment', 'order', 'invoice', 'stop', 'arrival') as is_arrived,
    coalesce(touched.is_correction, false) as is_correction
from changed
left join {{ ref('int_kpi_touched') }} as touched
    on changed.entity_type = touched.entity_type and changed.entity_id = touched.entity_id
