{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- One run after the other, once all that it restates is written down.
-- depends_on: {{ ref('kpi_restatements') }}
select {{ as_of() }} as published_at, max(ingested_at) as known_until
from {{ ref('int_kpi_arrivals') }}
having {{ goes_on() }}
