{{ config(materialized='table') }}
{{ waits_for('int_kpi_facts_before') }}
{{ waits_for('int_kpi_facts_now') }}
{%- if builds_on() %}
with compared as (
    select
        standing, {{ fact_columns() }},
        case when is_sure then 1 else 0 end as was_there, 0 as is_there
    from {{ ref('int_kpi_facts_before') }}
    where standing <> 'begun'
    union all
    select standing, {{ fact_columns() }}, 0 as was_there, 1 as is_there from {{ ref('int_kpi_facts_now') }}
    where standing <> 'out'
),

-- Where a fact counted otherwise, and where it counts now.
changed as (
    select metric, variant, period_date
    from compared
    group by standing, {{ fact_columns() }}
    having max(was_there) = 0 or max(is_there) = 0
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
