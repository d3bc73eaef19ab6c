{% set grains = ['day', 'week', 'month', 'all'] %}
with facts as (
    select * from {{ ref('kpi_facts') }}
    where standing <> 'out'
),

-- Every fact once per dimension it can be cut by, and once for the total.
cut as (
    select *, 'all' as dimension, 'all' as dimension_value from facts
    {%- for name in kpi_dimension_names() %}
    union all
    select *, '{{ name | replace('_id', '') }}' as dimension, {{ name }} as dimension_value
    from facts
    where {{ name }} is not null
    {%- endfor %}
),

-- And once per grain: each number is computed from rows again, never from other numbers.
dated as (
    {%- for grain in grains %}
    select *, '{{ grain }}' as grain, {{ period_start(grain, 'period_date') }} as period_start from cut
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        metric, variant, grain, period_start, dimension, dimension_value, unit, currency,
        cast(sum(case when standing = 'in' then 1 else 0 end) as bigint) as n,
        sum(case when standing = 'in' then numerator end) as met,
        sum(case when standing = 'in' then amount end) as total_amount,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.5) }} as p50,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.9) }} as p90,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.95) }} as p95,
        cast(sum(case when standing = 'open' then 1 else 0 end) as bigint) as n_open,
        cast(sum(case when standing = 'negative' then 1 else 0 end) as bigint) as n_negative,
        cast(sum(case when standing = 'excluded' then 1 else 0 end) as bigint) as n_excluded
    from dated
    group by metric, variant, grain, period_start, dimension, dimension_value, unit, currency
)

select
    metric, grain, period_start, dimension, dimension_value, n,
    cast(case when unit = 'ratio' then coalesce(met, 0) end as bigint) as numerator,
    cast(case when unit = 'ratio' then n end as bigint) as denominator,
    cast(
        case
            when unit = 'ratio' then cast(met as double) / nullif(n, 0)
            when unit = 'amount' then total_amount
            else p50
        end as decimal(28, 6)
    ) as value,
    p50,
    case when n >= 20 then p90 end as p90,
    case when n >= 20 then p95 end as p95,
    n_open, n_negative, n_excluded, unit, currency, variant, {{ as_of() }} as as_of
from counted
