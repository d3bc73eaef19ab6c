with first_exceptions as (
    select shipment_id, code, cause_class from {{ ref('fct_exceptions') }}
    where is_first_of_shipment
),

shipments as (
    select
        shipments.*, first_exceptions.code, first_exceptions.cause_class, attempts.failed_attempt_at,
        -- Failed before its promise was over and never known when: it is settled now, not in time to come.
        least({{ promise_last_at('shipments.promise_ends_at', 'shipments.promise_precision') }}, shipments.as_of)
            as known_missed_at,
        coalesce(
            shipments.is_redelivered or shipments.handover_result_status = 'failed' or shipments.pod_outcome = 'failed',
            false
        ) as is_failed,
        -- Who came before the window is not delayed.
        coalesce(not shipments.is_on_time and not coalesce(shipments.is_early, false), false)
        or (shipments.is_due and not shipments.is_delivered) as is_delayed
    from {{ ref('fct_shipments') }} as shipments
    left join first_exceptions on shipments.shipment_id = first_exceptions.shipment_id
    left join {{ ref('canonical_shipments') }} as attempts on shipments.shipment_id = attempts.shipment_id
)

{{ rate_facts('data_issue_delay_rate', 'default',
    'not is_cancelled_before_dispatch and (is_delivered or is_failed or is_due)',
    "case when is_cancelled_before_dispatch then 'cancelled before dispatch' else 'it is not settled yet' end",
    'true', 'null', "(is_delayed or is_failed) and cause_class = 'data'",
    "case when not is_delayed and not is_failed then 'neither delayed nor failed'
        when cause_class is null then 'nobody recorded an exception' else 'its first exception is of another kind' end",
    'coalesce(delivered_at, failed_attempt_at, case when not is_cancelled_before_dispatch and (is_failed or is_due) then known_missed_at end)',
    'destination_zone', why_met="'first of its exceptions: ' || code") }}
from shipments
