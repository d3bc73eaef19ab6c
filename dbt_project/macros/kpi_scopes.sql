{# Which shipments a metric looks at, and why not the others: one definition for every metric and variant of it. #}

{% macro dispatched_once() -%}
    not is_cancelled_before_dispatch and coalesce(relation, '') <> 'redelivery'
{%- endmacro %}

{% macro why_not_dispatched_once() -%}
    case when is_cancelled_before_dispatch then 'cancelled before dispatch'
        else 'a second dispatch: the first one counts' end
{%- endmacro %}

{% macro proven_delivered() -%}
    pod_outcome in ('succeeded', 'partiallySucceeded')
{%- endmacro %}

{% macro why_not_proven_delivered() -%}
    'no proof of delivery'
{%- endmacro %}

{% macro proven_and_not_by_hand() -%}
    {{ proven_delivered() }} and coalesce(made_by, 'waybill') = 'waybill'
{%- endmacro %}

{% macro why_not_proven_and_not_by_hand() -%}
    case when made_by = 'hand' then 'invoiced by hand' else {{ why_not_proven_delivered() }} end
{%- endmacro %}

{# Every cycle time of a shipment, from a relation of shipments with `proof_captured_at` (of a proof that says
   delivered). In working seconds where `is_business`: the relation then has the working seconds until each moment. #}
{% macro shipment_cycle_times(relation, variant='default', is_business=false) -%}
    {%- for metric, started, ended, site, scope, why_not in [
        ('order_to_dispatch_s', 'confirmed_at', 'departed_at', 'origin', dispatched_once(), why_not_dispatched_once()),
        ('release_to_dispatch_s', 'released_at', 'departed_at', 'origin', dispatched_once(), why_not_dispatched_once()),
        ('pod_to_invoice_s', 'pod_received_at', 'first_invoice_posted_at', 'origin', proven_delivered(),
            why_not_proven_delivered()),
        ('delivery_to_invoice_s', 'delivered_at', 'first_invoice_posted_at', 'origin', 'is_delivered', "'not delivered'"),
        ('delivered_to_captured_s', 'delivered_at', 'proof_captured_at', 'destination', 'is_delivered', "'not delivered'"),
        ('captured_to_received_s', 'pod_captured_at', 'pod_received_at', 'destination', proven_delivered(),
            why_not_proven_delivered()),
        ('received_to_released_s', 'pod_received_at', 'gate_released_at', 'origin', proven_and_not_by_hand(),
            why_not_proven_and_not_by_hand()),
        ('released_to_posted_s', 'gate_released_at', 'first_invoice_posted_at', 'origin', proven_and_not_by_hand(),
            why_not_proven_and_not_by_hand()),
    ] %}
    {%- set until = {'proof_captured_at': 'pod_captured_at'}.get(ended, ended) %}
    {%- set worked = "round(" ~ site ~ "_" ~ until | replace('_at', '_s') ~ " - " ~ site ~ "_" ~ started | replace('_at', '_s')
        ~ ", 6)" %}
    {{ duration_facts(metric, started, ended, site ~ '_zone', scope, why_not, variant,
        measured=worked if is_business else none) }}
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
