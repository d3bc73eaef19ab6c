{# Rows of a raw table whose load is complete, each once. Only staging calls these. #}

{# The newest version of every source row. #}
{% macro current_rows(relation) -%}
    {{ ranked_rows(relation, 'source_system, source_id') }}
{%- endmacro %}

{# Every version of every source row: for child rows, which belong to one version of their parent. #}
{% macro all_versions(relation) -%}
    {{ ranked_rows(relation, 'source_system, source_id, source_version') }}
{%- endmacro %}

{% macro ranked_rows(relation, key) -%}
    {%- if not execute -%}
        {%- do ref('touched') -%}
    {%- endif -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ key }} order by source_version desc, _dlt_load_id desc, _dlt_id
            ) as row_rank
        from {{ relation }}
        where {{ is_loaded(relation) }}
        {%- set named = named_nodes().get(relation.schema ~ '.' ~ relation.identifier) -%}
        {%- if named and builds_on() %}
            and {{ few_of(relation, node(named[0][0], named[0][1]) ~ ' in (select node from ' ~ touched_nodes(model) ~ ')') }}
        {%- elif relation.identifier == 'positions' and builds_on() %}
            {#- The instant is part of the id: it lets whole stretches of the table go unread. #}
            and (source_id, positioned_at) in (
                select source_id, positioned_at from {{ relation }}
                where _dlt_load_id in (
                    select load_id from {{ changes_table('new_loads') }} where dataset = '{{ relation.schema }}'
                )
            )
        {%- endif %}
    ) as ranked
    where row_rank = 1
{%- endmacro %}

{# True for rows of completed loads: what a crash left half loaded stays out. #}
{% macro is_loaded(relation) -%}
    _dlt_load_id in (
        select load_id from {{ relation.incorporate(path={'identifier': '_dlt_loads'}) }} where status = 0
    )
{%- endmacro %}
