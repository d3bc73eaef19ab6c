{# Building what came in: a run that says `builds_on` reads and replaces only rows of touched nodes. #}

{# True when this run goes on from a complete build of the same definitions; else it builds everything. #}
{% macro builds_on() -%}
    {{ return(execute and var('builds_on') is not none) }}
{%- endmacro %}

{# Stops a run that would make a new table of what came in alone: somebody has dropped the one that it builds on. #}
{% macro must_stand() -%}
    {%- if builds_on() and model.config.materialized == 'incremental' and load_cached_relation(this) is none -%}
        {{ exceptions.raise_compiler_error(
            this ~ ' is not there, and this run builds only what came in. Build everything: waybill run --full-refresh'
        ) }}
    {%- endif -%}
{%- endmacro %}

{# The relation of nodes that a model's run builds: after the push there are more than before the gate. #}
{% macro touched_nodes(consumer) -%}
    {{ return(changes_table('touched_by_push' if 'after_push' in consumer.tags else 'touched')) }}
{%- endmacro %}

{# A table of models/changes by its name, where a ref to it would be one from a macro of every model. What the worker
   chooses lies apart. #}
{% macro changes_table(name) -%}
    {%- set schema = 'changes_events' if var('event_path') and name in ['touched', 'new_loads', 'batch'] else 'changes' -%}
    {{ return(api.Relation.create(database=target.database, schema=schema, identifier=name)) }}
{%- endmacro %}

{# The node of a row of a model, by its meta.by: {kind: column}, the first that is there. A large table may keep it in the row. #}
{% macro node_of(by) -%}
    {%- set nodes = [] -%}
    {%- for kind, column in by.items() -%}
        {%- do nodes.append(fact_node() if kind == 'fact' else column if kind == 'node' else node(kind, column)) -%}
    {%- endfor -%}
    {{ nodes[0] if nodes | length == 1 else 'coalesce(' ~ nodes | join(', ') ~ ')' }}
{%- endmacro %}

{# A fact belongs to what it is a fact of; those of connections and people belong to none. A message goes by
   what it is about: the key of a shipment, or whatever was refused, or counted in bulk. #}
{% macro fact_node() -%}
    case
        {%- for entity, kind in [('shipment', 'shipment'), ('order', 'order'), ('invoice', 'invoice'), ('stop', 'stop'),
            ('arrival', 'stop'), ('case', 'exception'), ('message', 'key'), ('vehicle_day', 'vehicle_day')] %}
        when entity_type = '{{ entity }}' then {{ node(kind, 'entity_no') }}
        {%- endfor %}
    end
{%- endmacro %}

{# True for rows that this run builds anew: of a touched node, or of none. Facts are of days of lorries too. #}
{% macro is_touched(by, consumer) -%}
    coalesce({{ node_of(by) }}, {{ no_node() }}) in (
        select node from {{ touched_nodes(consumer) }} union all select {{ no_node() }}
        {%- if by.keys() | select('in', ['fact', 'node', 'vehicle_day']) | list %}
        union all select node from {{ changes_table('touched_vehicle_days') }}
        {%- endif %}
    )
{%- endmacro %}

{# A model's rows, for a model that is found by nodes itself: in a run that builds on the last one, the touched ones
   alone. dbt's own ref everywhere else. #}
{% macro ref() -%}
    {%- set relation = builtins.ref(*varargs, **kwargs) -%}
    {%- if not execute and model.fqn[1] == 'marts' -%}
        {#- Configurations are not read yet: every mart waits for what says which of its rows are built. -#}
        {%- do builtins.ref('touched_by_push') -%}
    {%- endif -%}
    {%- if not builds_on() or model.resource_type != 'model' -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- do must_stand() -%}
    {%- if not reads_touched(model.config) -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set parent = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', varargs | last) | list | first -%}
    {%- if not parent or not parent.config.meta.get('by') -%}
        {{ return(relation) }}
    {%- endif -%}
    {%- set condition = is_touched(parent.config.meta.by, model) -%}
    {{ return('(select * from ' ~ relation ~ ' where '
        ~ (condition if parent.config.materialized == 'view' else few_of(relation, condition)) ~ ')') }}
{%- endmacro %}

{# True for the few rows of a large table of which a condition is true. What came in lately lies together: a database that
   first finds the places of such rows need not read the other columns where there are none. #}
{% macro few_of(table, condition) -%}
    {{ return(adapter.dispatch('few_of')(table, condition)) }}
{%- endmacro %}

{% macro duckdb__few_of(table, condition) -%}
    rowid in (select rowid from {{ table }} where {{ condition }})
{%- endmacro %}

{% macro spark__few_of(table, condition) -%}
    {{ condition }}
{%- endmacro %}

{# Of candidates, those that some batches of events decided on: few of many. Everything else reads all of them once. #}
{% macro of_these(candidates, decisions) -%}
    {%- if var('event_path') %} where {{ few_of(candidates, 'business_id in (select business_id from ' ~ decisions ~ ')') }}
    {%- endif -%}
{%- endmacro %}

{# True for a model whose rows are replaced by their nodes, and for a step of such. A table that is built whole reads
   everything, also when its own readers find its rows by nodes. #}
{% macro reads_touched(config) -%}
    {{ return((config.meta.get('by') and config.materialized == 'incremental') or config.meta.get('reads') == 'touched') }}
{%- endmacro %}

{# Nothing to read, but a model that has to be built before: for tables that are read as the last run left them. #}
{% macro waits_for(name) -%}
    {%- if not execute -%}
        {%- do builtins.ref(name) -%}
    {%- endif -%}
{%- endmacro %}

{# All rows of a model, also for one that otherwise reads what is touched. #}
{% macro everything_of(name) -%}
    {{ return(builtins.ref(name)) }}
{%- endmacro %}

{# dbt's own, and: what does not say otherwise is built in full unless the run says what it builds on. #}
{% macro should_full_refresh() -%}
    {%- set configured = config.get('full_refresh') -%}
    {%- if configured is not none -%}
        {{ return(configured) }}
    {%- endif -%}
    {{ return(flags.FULL_REFRESH or not builds_on()) }}
{%- endmacro %}

{# What each incremental strategy of this project does: what this run has built takes the place of the rows, `rows_before`, that
   meet a condition. #}
{% macro replaced_where(condition, arguments) -%}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    delete from {{ arguments.target_relation }} as rows_before
    where {{ condition }};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}

{# The incremental strategy `touched`: all rows of the same nodes are replaced. #}
{% macro get_incremental_touched_sql(arguments) -%}
    {{ replaced_where(is_touched(model.config.meta.by, model), arguments) }}
{%- endmacro %}

{# The incremental strategy `listed`: rows whose key, meta.listed.key, is in a table of the schema `changes`, meta.listed.in,
   are replaced. #}
{% macro get_incremental_listed_sql(arguments) -%}
    {%- set key = model.config.meta.listed.key -%}
    {{ replaced_where(key ~ ' in (select ' ~ key ~ ' from ' ~ changes_table(model.config.meta.listed.in) ~ ')', arguments) }}
{%- endmacro %}
