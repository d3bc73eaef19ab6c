{{ waits_for('kpi_values') }}
{{ waits_for('kpi_restatements') }}
select node, content from {{ ref('ledger_rows') }}
