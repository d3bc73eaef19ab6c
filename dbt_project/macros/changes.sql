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

{# True for a promise that can have fallen due since the last complete build: an instant between the two, or where `is_day`
   an instant or the start of a day that can have ended then. From UTC+14 to UTC-12 a day ends 26 hours before to 50 hours
   after an instant on it elsewhere. #}
{% macro may_have_passed(promised, is_day) -%}
    ({{ promised }} between {{ last_built_at() }} and {{ as_of() }}
        or {{ is_day }} and {{ promised }} between {{ last_built_at() }} - interval 3 day and {{ as_of() }} + interval 2 day)
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

{# True for numbers of days, weeks and months that may say something else than was published: in a run that builds on what
   was published last, those of changed periods and of such as ended since. #}
{% macro may_be_news() -%}
    (
        not {{ published_as_built() }}
        or not {{ is_closed('grain', 'period_start', last_published('published_at')) }}
        or (metric, variant, grain, period_start) in (
            select metric, variant, grain, period_start from {{ ref('int_kpi_changed_periods') }} where grain <> 'all'
        )
    )
{%- endmacro %}

{# The incremental strategy `periods`: numbers of changed periods are replaced. #}
{% macro get_incremental_periods_sql(arguments) -%}
    {{ replaced_where('exists (' ~ changed_period('rows_before') ~ ')', arguments) }}
{%- endmacro %}

{# True for rows of a period of a grain in which a metric changed, or of no period where the metric changed at all. #}
{% macro is_changed(grain, period_start) -%}
    (metric, variant, coalesce({{ period_start }}, {{ no_day() }})) in (
        select metric, variant, coalesce(period_start, {{ no_day() }})
        from {{ ref('int_kpi_changed_periods') }}
        where grain in ('{{ grain }}', 'all')
    )
{%- endmacro %}

{# Every day of the periods of some grains in which a metric changed. As plain days they tell a database which parts of
   a large table it need not read; as periods of its rows they would not. #}
{% macro days_of_changed(grains) -%}
    {{ days_from_to('first_day', 'last_day') }}, metric, variant
    from (
        select
            metric, variant, period_start as first_day,
            case grain when 'month' then {{ add_month('period_start') }} - 1 when 'week' then period_start + 6 else period_start end as last_day
        from {{ ref('int_kpi_changed_periods') }}
        where grain in ('{{ grains | join("', '") }}') and period_start is not null
    ) as spans
{%- endmacro %}

{# True for rows of such a day. #}
{% macro is_of_changed(grains, day) -%}
    (metric, variant, {{ day }}) in (select metric, variant, local_day from ({{ days_of_changed(grains) }}) as days)
{%- endmacro %}

{# What stands for the day of a fact that has none. #}
{% macro no_day() -%} cast('0001-01-01' as date) {%- endmacro %}

{# The incremental strategy `cells`: those of changed days, and of changed months of customers, are replaced. #}
{% macro get_incremental_cells_sql(arguments) -%}
    {%- set condition -%}
        case when customer_id is null then {{ is_changed('day', 'period_start') }}
        else {{ is_changed('month', 'period_start') }} end
    {%- endset -%}
    {{ replaced_where(condition, arguments) }}
{%- endmacro %}
