{# Texts that list ids. #}

{# One row for each word of a text whose words stand apart by single spaces. #}
{% macro each_word(text) -%}
    {{ return(adapter.dispatch('each_word')(text)) }}
{%- endmacro %}

{% macro duckdb__each_word(text) -%}
    unnest(string_split({{ text }}, ' '))
{%- endmacro %}

{% macro spark__each_word(text) -%}
    explode(split({{ text }}, ' '))
{%- endmacro %}
