with messages as (
    select *, coalesce(business_id, resource) as message_no, {{ as_of() }} as as_of
    from {{ ref('fct_integration_messages') }}
)

{% for variant, is_it in [
    ('default', 'true'), ('technical', "failure_class = 'technical'"), ('business', "failure_class = 'business'"),
] -%}
select
    'integration_failure_rate' as metric, '{{ variant }}' as variant, 'message' as entity_type,
    message_key as entity_id, message_no as entity_no,
    case
        when outcome = 'cancelled' or message_count = 0 then 'out'
        when outcome = 'pending' then 'open'
        else 'in'
    end as standing,
    case
        when outcome = 'cancelled' then 'cancelled: nothing is due'
        when message_count = 0 then 'accepted after all, and counted with the run that did'
        when outcome in ('pending', 'failed') then lower(state) || coalesce(': ' || reason, '')
    end as why,
    {{ local_date('last_seen_at', "'UTC'") }} as period_date,
    {{ counted_fact("case when outcome = 'failed' and " ~ is_it ~ ' then message_count else 0 end', 'message_count',
        'ratio', 'ratio') }}
    case when outcome = 'pending' and message_count > 0
        then {{ age_bucket(epoch_s('as_of') ~ ' - ' ~ epoch_s('first_seen_at')) }} end as age_days,
    {{ connection_dimensions() }}
from messages
union all
{% endfor -%}
select
    'attempt_failure_rate' as metric, 'default' as variant, 'message' as entity_type,
    message_key as entity_id, message_no as entity_no,
    case when attempt_count = 0 then 'out' else 'in' end as standing,
    case
        when attempt_count = 0 then 'never attempted'
        when failed_attempt_count > 0 then cast(failed_attempt_count as string) || ' of its attempts failed'
    end as why,
    {{ local_date('last_seen_at', "'UTC'") }} as period_date,
    {{ counted_fact('failed_attempt_count', 'attempt_count', 'ratio', 'ratio') }}
    cast(null as string) as age_days,
    {{ connection_dimensions() }}
from messages
