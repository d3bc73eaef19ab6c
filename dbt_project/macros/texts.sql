{% macro same_text(one, other) -%}
{#- Equal as people read them: composed and decomposed letters are the same. What is kept stays as written. -#}
    {{ return(adapter.dispatch('same_text')(one, other)) }}
{%- endmacro %}

{% macro default__same_text(one, other) -%}
    {{ one }} = {{ other }}
{%- endmacro %}

{% macro duckdb__same_text(one, other) -%}
    nfc_normalize({{ one }}) = nfc_normalize({{ other }})
{%- endmacro %}
