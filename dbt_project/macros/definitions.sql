{# What the models of the marts say of their metrics, as rows. #}

{# Every metric that a model defines under meta.metrics, by name. #}
{% macro metric_definitions() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- for metric in node.config.get('meta', {}).get('metrics', []) -%}
                {%- do found.append(metric) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found | sort(attribute='name')) }}
{%- endmacro %}

{# From → to, numerator ÷ denominator, or what is summed. #}
{% macro metric_formula(metric) -%}
    {%- if metric.unit == 's' and metric.from -%} {{ metric.from }} → {{ metric.to }}
    {%- elif metric.sum -%} sum of {{ metric.sum }}
    {%- else -%} {{ metric.numerator }} ÷ {{ metric.denominator }}{{ ' × 100' if metric.unit == 'per_100' }}
    {%- endif -%}
{%- endmacro %}

{# How rows become a value, where that does not follow from the unit. #}
{% macro metric_aggregation(metric) -%}
    {{ metric.get('aggregation') or {'s': 'median', 'ratio': 'ratio', 'per_100': 'per_100'}.get(metric.unit, 'sum') }}
{%- endmacro %}

{# The settings that a metric depends on, with their values. #}
{% macro metric_settings(metric) -%}
    {%- for name in metric.get('settings', []) -%} {{ name }} = {{ var(name) }}{{ ', ' if not loop.last }} {%- endfor -%}
{%- endmacro %}

{% macro text(value) -%}
    '{{ value | trim | replace("'", "''") }}'
{%- endmacro %}
