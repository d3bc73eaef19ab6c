{{ config(materialized='table') }}
{{ waits_for('int_kpi_facts_before') }}
{%- if builds_on() %}
with before as (
    select * from {{ ref('int_kpi_facts_before') }}
),

present as (
    select standing, {{ fact_columns() }} from {{ ref('kpi_facts') }}
    where standing <> 'out'
),

-- Where a fact counted otherwise, and where it counts now.
changed as (
    (select * from before except select * from present)
    union all
    (select * from present except select * from before)
)

select distinct changed.metric, changed.variant, cuts.grain, {{ cut_period('cuts.grain', 'changed.period_date') }} as period_start
from changed
inner join (select distinct grain from ({{ published_cuts() }}) as published) as cuts
    on cuts.grain = 'all' or changed.period_date is not null
{%- else %}
-- Everything is built, so every period is.
select distinct metric, variant
from {{ ref('kpi_facts') }}
where false
{%- endif %}
