{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- One run after the other, once all that it restates is written down. Not the newest row of the tables: that may have come
-- between two parts of the run, after the facts that it is about, and would be news to nobody.
-- depends_on: {{ ref('kpi_restatements') }}
select {{ as_of() }} as published_at, coalesce(max(accepted_at), {{ last_published('known_until') }}) as known_until
from (
    select accepted_until as accepted_at from {{ ref('news_until') }}
    union all
    select read_back_at as accepted_at from {{ ref('stg_ledger__receipts') }}
) as known
having {{ goes_on() }}
