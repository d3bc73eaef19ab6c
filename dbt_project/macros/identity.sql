{# Deterministic keys and hashes: equal inputs, equal texts, on every adapter. #}

{# UUIDv5 of `connection|source_id`, as core.ids.surrogate_uuid computes it; NULL when a part is NULL. #}
{% macro surrogate_uuid(connection, source_id) -%}
    {{ return(adapter.dispatch('surrogate_uuid')(connection, source_id)) }}
{%- endmacro %}

{% macro duckdb__surrogate_uuid(connection, source_id) -%}
    {%- set namespace = '6f0d6bb55f0b5d3c9a560c9ed1f3a7b1' -%}
    {%- set name = "encode(" ~ connection ~ " || '|' || " ~ source_id ~ ")" -%}
    {%- set digest = "sha1(unhex('" ~ namespace ~ "') || " ~ name ~ ")" -%}
    (
        substr({{ digest }}, 1, 8) || '-' || substr({{ digest }}, 9, 4) || '-5' || substr({{ digest }}, 14, 3)
        || '-' || substr('89ab89ab89ab89ab', strpos('0123456789abcdef', substr({{ digest }}, 17, 1))::int, 1)
        || substr({{ digest }}, 18, 3) || '-' || substr({{ digest }}, 21, 12)
    )
{%- endmacro %}

{# Lower-case hex SHA-256 of a JSON array of the given expressions: no two lists of values look alike. #}
{% macro hash_of(expressions) -%}
    {{ return(adapter.dispatch('hash_of')(expressions)) }}
{%- endmacro %}

{% macro duckdb__hash_of(expressions) -%}
    sha256(cast(json_array({{ expressions | join(', ') }}) as varchar))
{%- endmacro %}

{# A JSON object as text; `pairs` maps names to expressions, of which decimals are to be cast to text. #}
{% macro json_text(pairs) -%}
    {{ return(adapter.dispatch('json_text')(pairs)) }}
{%- endmacro %}

{% macro duckdb__json_text(pairs) -%}
    cast(json_object(
        {%- for name, expression in pairs.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{# Aggregate: the texts of a group in order, so that equal groups give equal texts. #}
{% macro sorted_text(expression, separator=';', order_by=none) -%}
    {{ return(adapter.dispatch('sorted_text')(expression, separator, order_by)) }}
{%- endmacro %}

{% macro duckdb__sorted_text(expression, separator, order_by) -%}
    string_agg({{ expression }}, '{{ separator }}' order by {{ order_by or expression }})
{%- endmacro %}

{# True when the whole text matches a regular expression. #}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, {{ pattern }})
{%- endmacro %}

{# The expressions as texts, for hashing: one spelling per value, whatever the type. #}
{% macro as_texts(expressions) -%}
    {%- set texts = [] -%}
    {%- for expression in expressions -%}
        {%- do texts.append('cast(' ~ expression ~ ' as string)') -%}
    {%- endfor -%}
    {{ return(texts) }}
{%- endmacro %}
