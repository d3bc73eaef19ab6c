-- depends_on: {{ ref('kpi_values') }}
-- depends_on: {{ ref('kpi_restatements') }}
select node, content from {{ ref('ledger_rows') }}
