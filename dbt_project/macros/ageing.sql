{# How long something has been open, in the buckets that every ageing uses. #}
{% macro age_bucket(seconds) -%}
    case
        when {{ seconds }} < 86400 then '0-1'
        when {{ seconds }} < 3 * 86400 then '1-3'
        when {{ seconds }} < 7 * 86400 then '3-7'
        when {{ seconds }} >= 7 * 86400 then '7+'
    end
{%- endmacro %}
