{# What raw rows name, as nodes of one graph: rows that name a common node belong together, and are built together. #}

{# A thing by its kind and its id, as one number; NULL without an id. Two systems that give one id share a node, which
   only ever builds more than is needed. #}
{% macro node(kind, id) -%}
    {{ return(adapter.dispatch('node')(kind, id)) }}
{%- endmacro %}

{% macro duckdb__node(kind, id) -%}
    case when {{ id }} is not null then hash('{{ kind }}', {{ id }}) end
{%- endmacro %}

{% macro spark__node(kind, id) -%}
    case when {{ id }} is not null then xxhash64('{{ kind }}', {{ id }}) end
{%- endmacro %}

{# Values as one number of 64 bits, which others hardly ever have; a NULL among them counts too. #}
{% macro number_of(expressions) -%}
    {{ return(adapter.dispatch('number_of')(expressions)) }}
{%- endmacro %}

{% macro duckdb__number_of(expressions) -%} hash({{ expressions | join(', ') }}) {%- endmacro %}

{% macro spark__number_of(expressions) -%}
    xxhash64(
        {%- for each in expressions %}{{ each }}, {{ each }} is null{{ ', ' if not loop.last }}{% endfor -%}
    )
{%- endmacro %}

{# What stands for the node of a row that has none. #}
{% macro no_node() -%}
    {{ return(adapter.dispatch('no_node')()) }}
{%- endmacro %}

{% macro duckdb__no_node() -%} cast(0 as ubigint) {%- endmacro %}

{% macro spark__no_node() -%} cast(0 as bigint) {%- endmacro %}

{# The kinds and ids that the rows of a raw table name. The first is whose row it is: all versions of a row have it.
   Surrogate keys are of the kind `key`. #}
{% macro named_nodes() -%}
    {%- set own_key = ('key', surrogate_uuid('source_system', 'source_id')) -%}
    {%- set stop = 'coalesce(stop_id, action_id)' -%}
    {{ return({
        'raw_erp.orders': [('order', 'order_id'), own_key],
        'raw_erp.order_lines': [('order', 'order_id'), ('line', 'order_line_id')],
        'raw_erp.delivery_notes': [('note', 'delivery_note_id'), ('order', 'order_id'), ('shipment', 'shipment_id')],
        'raw_erp.invoices': [('invoice', 'invoice_id'), ('order', 'order_id'), ('shipment', 'shipment_id'),
            ('invoice', 'credited_invoice_id')],
        'raw_erp.invoice_lines': [('invoice', 'invoice_id'), ('line', 'order_line_id')],
        'raw_dispatch.consignments': [('shipment', 'consignment_id'), ('order', 'order_id'), ('shipment', 'parent_id'),
            own_key],
        'raw_dispatch.consignment_lines': [('shipment', 'consignment_id')],
        'raw_dispatch.consignment_charges': [('shipment', 'consignment_id'), ('action', 'evidence_action_id')],
        'raw_dispatch.actions': [('action', 'action_id'), ('shipment', 'consignment_id'), ('stop', stop)],
        'raw_pod.proofs': [('proof', 'pod_id'), ('shipment', 'consignment_id'), ('order', 'order_id'),
            ('proof', 'supersedes_id')],
        'raw_pod.delivered_lines': [('proof', 'pod_id')],
        'raw_pod.evidence': [('proof', 'pod_id')],
        'raw_wms.delivery_events': [('event', 'event_id'), ('shipment', 'consignment_id')],
        'raw_tms.eta_predictions': [('eta', 'eta_id'), ('shipment', 'consignment_id'), ('stop', 'stop_id')],
        'raw_crm.exception_events': [('exception', 'exception_id'), ('shipment', 'consignment_id'),
            ('key', surrogate_uuid('source_system', 'exception_id'))],
        'raw_carrier.freight_charges': [('freight_charge', 'freight_charge_id')],
    }) }}
{%- endmacro %}

{# Master data that those rows name, by column: when a master changes, what names it is built again. #}
{% macro named_masters() -%}
    {{ return({
        'raw_erp.orders': [('customer', 'customer_id'), ('customer', 'bill_to_id'), ('company', 'company_id'),
            ('location', 'depot_id')],
        'raw_erp.order_lines': [('item', 'item_id'), ('tax_code', 'tax_code')],
        'raw_erp.invoices': [('company', 'company_id'), ('customer', 'customer_id')],
        'raw_erp.invoice_lines': [('item', 'item_id')],
        'raw_dispatch.consignments': [('location', 'depot_id'), ('location', 'delivery_location_id')],
        'raw_dispatch.consignment_lines': [('item', 'item_id')],
        'raw_dispatch.consignment_charges': [('item', 'code')],
        'raw_dispatch.actions': [('location', 'location_id'), ('trip', 'trip_id')],
        'raw_pod.delivered_lines': [('item', 'item_id')],
    }) }}
{%- endmacro %}

{# The raw tables of those masters, and the column of their id. #}
{% macro master_rows() -%}
    {{ return([
        ('customer', 'raw_erp', 'customers', 'customer_id'), ('company', 'raw_erp', 'companies', 'company_id'),
        ('item', 'raw_erp', 'items', 'item_id'), ('item', 'raw_erp', 'item_uoms', 'item_id'),
        ('item', 'raw_erp', 'item_accounts', 'item_id'), ('tax_code', 'raw_erp', 'tax_codes', 'tax_code'),
        ('location', 'raw_dispatch', 'locations', 'location_id'), ('trip', 'raw_dispatch', 'trips', 'trip_id'),
    ]) }}
{%- endmacro %}
