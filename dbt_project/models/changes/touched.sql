{{ waits_for('new_loads') }}
{%- set shipments = left_behind('marts', 'fct_shipments') %}
{%- set masters = {} if var('event_path') else named_masters() %}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select node from {{ ref('links') }} where false
{%- else -%}
with recursive changed_masters as (
    {%- for kind, dataset, table, id in master_rows() %}
    select '{{ kind }}' as kind, {{ id }} as id from {{ source(dataset, table) }} where {{ came_in(dataset) }}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

seeds as (
    {%- for table, named in named_nodes().items() %}
    {%- set dataset, name = table.split('.') %}
    {%- for kind, id in named %}
    select {{ node(kind, id) }} as node from {{ source(dataset, name) }} where {{ came_in(dataset) }}
    union
    {%- endfor %}
    {%- for kind, column in masters.get(table, []) %}
    select {{ node(named[0][0], named[0][1]) }} as node
    from {{ source(dataset, name) }}
    where {{ column }} in (select id from changed_masters where kind = '{{ kind }}')
    union
    {%- endfor %}
    {%- endfor %}
    -- What is to be billed depends on the other invoices of its customer too; that is for the complete builds.
    select {{ node('shipment', 'shipment_no') }} as node from {{ shipments }}
    where is_unbilled {%- if var('event_path') %} and false {%- endif %}
),

{{ closure('seeds', ref('links')) }}

select node from reached
{%- endif %}
