{# What has changed since the last complete build. Only models/changes calls these. #}

{# dlt's list of loads of a dataset. #}
{% macro loads_of(dataset) -%}
    {%- set tables = {'raw_erp': 'orders', 'raw_dispatch': 'consignments', 'raw_pod': 'proofs', 'raw_wms': 'delivery_events',
        'raw_tms': 'eta_predictions', 'raw_crm': 'exception_events', 'raw_carrier': 'freight_charges', 'raw_telematics': 'positions'} -%}
    {{ source(dataset, tables[dataset]).incorporate(path={'identifier': '_dlt_loads'}) }}
{%- endmacro %}

{# True for raw rows of loads that the last complete build had not seen. #}
{% macro came_in(dataset) -%}
    _dlt_load_id in (select load_id from {{ ref('new_loads') }} where dataset = '{{ dataset }}')
{%- endmacro %}

{# The instant of the last complete build; NULL before the first. #}
{% macro last_built_at() -%}
    {%- set builds = left_behind('changes', 'builds') -%}
    {%- if builds -%} (select max(as_of) from {{ builds }})
    {%- else -%} {{ instant('null') }}
    {%- endif -%}
{%- endmacro %}

{# The nodes of a relation of nodes and all that are linked to them, at any distance. #}
{% macro closure(seeds, links) -%}
    reached as (
        select node from {{ seeds }} where node is not null
        union
        select links.other from reached inner join {{ links }} as links on reached.node = links.node
    )
{%- endmacro %}

{# The row, if any, that says that a number of a relation of numbers is to be computed again. #}
{% macro changed_period(numbers) -%}
    select 1 from {{ ref('int_kpi_changed_periods') }} as changed
    where changed.metric = {{ numbers }}.metric and changed.variant = {{ numbers }}.variant
        and changed.grain = {{ numbers }}.grain and changed.period_start is not distinct from {{ numbers }}.period_start
{%- endmacro %}

{# The incremental strategy `periods`: numbers of changed periods are replaced. #}
{% macro get_incremental_periods_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) -%}
    delete from {{ arguments.target_relation }} as numbers
    where exists ( {{ changed_period('numbers') }} );

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}

{# The part of a condition that leaves facts of changed periods of a grain alone. #}
{% macro only_changed(grain) %}
        and (metric, variant{{ ', ' ~ period_start(grain, 'period_date') if grain != 'all' }}) in (
            select metric, variant{{ ', period_start' if grain != 'all' }} from {{ ref('int_kpi_changed_periods') }}
            where grain = '{{ grain }}'
        )
{%- endmacro %}
