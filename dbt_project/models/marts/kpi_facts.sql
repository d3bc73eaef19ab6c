{{ waits_for('int_kpi_facts_before') }}
with facts as (
    select * from {{ ref('int_kpi__cycle_times') }}
    union all
    select * from {{ ref('int_kpi__business_times') }}
    union all
    select * from {{ ref('int_kpi__delivery') }}
    union all
    select * from {{ ref('int_kpi__orders') }}
    union all
    select * from {{ ref('int_kpi__invoicing') }}
    union all
    select * from {{ ref('int_kpi__commitments') }}
    union all
    select * from {{ ref('int_kpi__perfect_orders') }}
    union all
    select * from {{ ref('int_kpi__control') }}
    union all
    select * from {{ ref('int_kpi__cash') }}
    union all
    select * from {{ ref('int_kpi__exceptions') }}
    union all
    select * from {{ ref('int_kpi__data_issues') }}
    union all
    select * from {{ ref('int_kpi__etas') }}
    union all
    select * from {{ ref('int_kpi__fleet') }}
    union all
    select * from {{ ref('int_kpi__stops') }}
    union all
    select * from {{ ref('int_kpi__integration') }}
    union all
    select * from {{ ref('int_kpi__feeds') }}
    union all
    select * from {{ ref('int_kpi__partners') }}
    union all
    select * from {{ ref('int_kpi__touches') }}
)

select
    metric, variant, aggregation, entity_type, entity_id, entity_no, standing, why, period_date, unit, currency,
    cast(duration_s as double) as duration_s,
    cast(amount as decimal(18, 4)) as amount,
    numerator,
    denominator,
    age_days,
    company_id, customer_id, depot_id, region, carrier_id, connection, severity, made_by
from facts
