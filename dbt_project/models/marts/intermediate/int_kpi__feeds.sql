with partners as (
    select partner_id as connection, lifecycle, freshness_s from {{ ref('canonical_partners') }}
),

-- Waybill's last look at anything: until then a feed that is silent has missed its windows too.
looks as (
    select max(observed_at) as last_look_at from {{ ref('stg_ledger__observations') }}
),

answers as (
    select observations.connection, observations.observed_at
    from {{ ref('stg_ledger__observations') }} as observations
    where ok
    union
    select answered.connection, looks.last_look_at
    from (select distinct connection from {{ ref('stg_ledger__observations') }} where ok) as answered
    cross join looks
),

gaps as (
    select
        connection, observed_at,
        {{ epoch_s('observed_at') }} - {{ epoch_s('lag(observed_at) over (partition by connection order by observed_at)') }}
            as gap_s
    from answers
),

-- A window of the agreed freshness that passed without an answer is missed; the one that the answer ends is not.
days as (
    select
        gaps.connection, {{ local_date('gaps.observed_at', "'UTC'") }} as local_day, partners.lifecycle,
        cast(sum(greatest(ceil(coalesce(gaps.gap_s, 0) / partners.freshness_s) - 1, 0)) as bigint) as missed_count
    from gaps
    inner join partners on gaps.connection = partners.connection
    group by gaps.connection, {{ local_date('gaps.observed_at', "'UTC'") }}, partners.lifecycle
)

select
    'missed_feed_windows' as metric, 'default' as variant, 'feed_day' as entity_type,
    connection || '|' || cast(local_day as string) as entity_id, connection as entity_no,
    case when lifecycle = 'production' then 'in' else 'out' end as standing,
    case
        when lifecycle <> 'production' then 'not in production'
        when missed_count > 0 then 'silent for more than it agreed to'
    end as why,
    local_day as period_date,
    {{ counted_fact('cast(null as bigint)', 'cast(null as bigint)', 'sum', 'count',
        'cast(missed_count as decimal(18, 4))') }}
    cast(null as string) as age_days,
    {{ connection_dimensions() }}
from days
