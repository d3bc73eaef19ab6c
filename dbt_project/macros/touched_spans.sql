{# What a unit did over days that are touched: its stops and visits, which may have begun long before. #}

{# True for rows of a unit that lasted from one instant to another, when some of it was near a touched day. #}
{% macro in_touched_span(rows, from_at, until_at) -%}
    exists (
        select 1 from {{ changes_table('touched_spans') }} as spans
        where spans.source_system = {{ rows }}.source_system and spans.device_id = {{ rows }}.device_id
            and {{ rows }}.{{ from_at }} < spans.until_at and {{ rows }}.{{ until_at }} >= spans.from_at
    )
{%- endmacro %}

{# The incremental strategy `spans`: what reached into a touched span is replaced. meta.span names its two instants. #}
{% macro get_incremental_spans_sql(arguments) -%}
    {{ replaced_where(in_touched_span('rows_before', model.config.meta.span[0], model.config.meta.span[1]), arguments) }}
{%- endmacro %}

{# Runs that reach out of a touched span, and those that go on from them, at any distance: what they make up is known
   from all of them alone. `keys` say of whom and where they are; `gap_s` apart, two may still go together. #}
{% macro runs_out_of_spans(runs, keys, gap_s) -%}
    reaching as (
        select {% for key in keys %}runs.{{ key }}, {% endfor %}runs.first_at, runs.last_at
        from {{ runs }} as runs
        inner join {{ changes_table('touched_spans') }} as spans
            on runs.source_system = spans.source_system and runs.device_id = spans.device_id
            and runs.first_at < spans.until_at and runs.last_at >= spans.from_at
        where runs.first_at <= spans.from_at + interval '{{ gap_s }}' second
            or runs.last_at >= spans.until_at - interval '{{ gap_s }}' second
        union
        select {% for key in keys %}runs.{{ key }}, {% endfor %}runs.first_at, runs.last_at
        from reaching
        inner join {{ runs }} as runs
            on {% for key in keys %}reaching.{{ key }} = runs.{{ key }} and {% endfor -%}
            runs.last_at >= reaching.first_at - interval '{{ gap_s }}' second
            and runs.first_at <= reaching.last_at + interval '{{ gap_s }}' second
    )
{%- endmacro %}

{# Those runs, and all that are within a span; every run where everything is built. #}
{% macro runs_of_spans(runs, keys) -%}
    {%- if not builds_on() -%}
        {{ return(runs) }}
    {%- endif -%}
    (
        select * from {{ runs }} as runs
        where {{ in_touched_span('runs', 'first_at', 'last_at') }}
            or ({{ keys | join(', ') }}, first_at) in (select {{ keys | join(', ') }}, first_at from reaching)
    )
{%- endmacro %}

{# The keys of visits that this run has left as they were. #}
{% macro untouched_visits() -%}
    select visits.geofence_visit_key from {{ ref('int_place_visits') }} as visits
    where not {{ in_touched_span('visits', 'first_at', 'last_at') }}
{%- endmacro %}

{# True for rows of stops that this run builds anew. #}
{% macro is_touched_stop(stop_id) -%}
    {{ node('stop', stop_id) }} in (select node from {{ touched_nodes(model) }})
{%- endmacro %}

{# The incremental strategy `visits`: rows of touched stops and of visits that are touched or no more are replaced, and
   what is found anew under its key. #}
{% macro get_incremental_visits_sql(arguments) -%}
    {%- set key = arguments.unique_key -%}
    {%- set condition -%}
        {{ is_touched_stop('stop_id') }}
        or geofence_visit_key not in ({{ untouched_visits() }})
        {%- if key %} or {{ key }} in (select {{ key }} from {{ arguments.temp_relation }}){% endif %}
    {%- endset -%}
    {{ replaced_where(condition, arguments) }}
{%- endmacro %}

