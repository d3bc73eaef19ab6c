{# The day a promise belongs to, of a shipment and of an order: one definition for every metric of promises. #}

{# The last instant at which a promise is kept: one for a day ends with the day and still lies on it. #}
{% macro promise_last_at(ends_at='promise_ends_at', precision='promise_precision') -%}
    case when {{ precision }} = 'date' then {{ ends_at }} - interval 1 microsecond else {{ ends_at }} end
{%- endmacro %}

{# Of rows of fct_shipments: the last instant of the last promise of their order. #}
{% macro order_promise_last_at() -%}
    max({{ promise_last_at() }}) over (partition by coalesce(order_id, source_system || '|' || order_no))
{%- endmacro %}

{# Aggregate over an order's shipments: the zone of the place whose promise ends last. #}
{% macro zone_of_last_promise() -%}
    coalesce(min(case when promise_last_at = order_promise_last_at then destination_zone end), min(destination_zone))
{%- endmacro %}
