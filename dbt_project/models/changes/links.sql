{{ config(materialized='incremental', incremental_strategy='append') }}
with linked as (
    {%- for table, named in named_nodes().items() %}
    {%- for kind, id in named[1:] %}
    {%- set dataset, name = table.split('.') %}
    select {{ node(named[0][0], named[0][1]) }} as node, {{ node(kind, id) }} as other
    from {{ source(dataset, name) }}
    where {{ came_in(dataset) }}
    union
    {%- endfor %}
    {%- endfor %}
    select {{ node('event', 'event_id') }}, {{ node('event', 'corrective_id') }}
    from (
        select event_id, {{ each_word('corrective_event_ids') }} as corrective_id
        from {{ source('raw_wms', 'delivery_events') }}
        where corrective_event_ids is not null and {{ came_in('raw_wms') }}
    ) as corrections
)

-- Both ways, for who is found by one to lead to the other.
select node, other from linked
where other is not null and node <> other
union
select other, node from linked
where other is not null and node <> other
{%- if builds_on() %}
except
select node, other from {{ this }}
where node in (select node from linked union all select other from linked)
{%- endif %}
