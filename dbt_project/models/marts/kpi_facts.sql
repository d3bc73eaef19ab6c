with facts as (
    select * from {{ ref('int_kpi__cycle_times') }}
    union all
    select * from {{ ref('int_kpi__delivery') }}
    union all
    select * from {{ ref('int_kpi__orders') }}
    union all
    select * from {{ ref('int_kpi__invoicing') }}
)

select
    metric, variant, entity_type, entity_id, entity_no, standing, why, period_date, unit, currency,
    cast(duration_s as double) as duration_s,
    cast(amount as decimal(18, 4)) as amount,
    numerator,
    age_days,
    {{ kpi_dimensions() }}
from facts
