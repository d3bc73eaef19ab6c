{{ config(materialized='incremental', incremental_strategy='append') }}
-- depends_on: {{ ref('ledger_seen') }}
select dataset, load_id from {{ ref('new_loads') }}
{%- if builds_on() %}
except
select dataset, load_id from {{ this }}
{%- endif %}
