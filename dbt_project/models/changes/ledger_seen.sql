-- All that goes on from a build stands before this one is written down.
{%- for model in ['int_kpi_facts_published', 'kpi_open_items', 'fct_invoice_pushes', 'canonical_gate_decisions',
    'canonical_push_attempts', 'canonical_receipts'] %}
{{ waits_for(model) }}
{%- endfor %}
select node, content from {{ ref('ledger_rows') }}
