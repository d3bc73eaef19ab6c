with days as (
    select * from {{ ref('int_partner_days') }}
),

-- A week is over when something happened after it, to whomever.
newest as (
    select max(local_day) as last_day from days
),

weeks as (
    select
        starts.connection, starts.local_day as first_day,
        sum(days.message_count) as message_count, sum(days.failed_count) as failed_count
    from days as starts
    inner join days
        on starts.connection = days.connection
        and days.local_day >= starts.local_day and days.local_day < starts.local_day + 7
    cross join newest
    where newest.last_day >= starts.local_day + 7
    group by starts.connection, starts.local_day
)

-- The first seven days in a row with less than one failure in a hundred.
select
    partners.partner_id,
    min(greatest({{ local_midnight('weeks.first_day', "'UTC'") }}, partners.first_accepted_at)) as stable_at
from {{ ref('canonical_partners') }} as partners
inner join weeks on partners.partner_id = weeks.connection
where
    weeks.first_day >= {{ local_date('partners.first_accepted_at', "'UTC'") }}
    and 100 * weeks.failed_count < weeks.message_count
group by partners.partner_id
