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
        metric, variant, aggregation, grain, period_start, dimension, dimension_value, unit, currency,
        cast(sum(case when standing = 'in' then 1 else 0 end) as bigint) as n,
        sum(case when standing = 'in' then numerator end) as numerators,
        sum(case when standing = 'in' then denominator end) as denominators,
        sum(case when standing = 'in' then amount end) as total_amount,
        {{ period_days('grain', 'period_start', 'min(period_date)', 'max(period_date)') }} as days,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.5) }} as p50,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.9) }} as p90,
        {{ quantile_disc("case when standing = 'in' then duration_s end", 0.95) }} as p95,
        cast(sum(case when standing = 'open' then 1 else 0 end) as bigint) as n_open,
        cast(sum(case when standing = 'negative' then 1 else 0 end) as bigint) as n_negative,
        cast(sum(case when standing = 'excluded' then 1 else 0 end) as bigint) as n_excluded
    from dated
    group by metric, variant, aggregation, grain, period_start, dimension, dimension_value, unit, currency
)

select
    metric, grain, period_start, dimension, dimension_value, n,
    cast(case when aggregation in ('ratio', 'mean', 'per_100') then coalesce(numerators, 0) end as bigint) as numerator,
    cast(case when aggregation in ('ratio', 'mean', 'per_100') then coalesce(denominators, 0) end as bigint)
        as denominator,
    cast(
        case aggregation
            when 'median' then p50
            when 'sum' then total_amount
            when 'per_day' then cast(total_amount as double) / days
            when 'per_100' then 100 * cast(numerators as double) / nullif(denominators, 0)
            else cast(numerators as double) / nullif(denominators, 0)
        end as decimal(28, 6)
    ) as value,
    p50,
    case when n >= 20 then p90 end as p90,
    case when n >= 20 then p95 end as p95,
    n_open, n_negative, n_excluded, unit, currency, variant, {{ as_of() }} as as_of
from counted
