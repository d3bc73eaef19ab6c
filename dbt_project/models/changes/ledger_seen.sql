{{ waits_for('kpi_values') }}
{{ waits_for('int_kpi_facts_published') }}
{{ waits_for('fct_invoice_pushes') }}
select node, content from {{ ref('ledger_rows') }}
