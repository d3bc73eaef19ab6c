-- Of each day of a connection: its messages, and how many of them failed for good.
select
    connection,
    {{ local_date('last_seen_at', "'UTC'") }} as local_day,
    sum(message_count) as message_count,
    sum(case when outcome = 'failed' then message_count else 0 end) as failed_count
from {{ ref('fct_integration_messages') }}
where outcome in ('succeeded', 'failed')
group by connection, {{ local_date('last_seen_at', "'UTC'") }}
