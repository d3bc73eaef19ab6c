with shipments as (
    select
        *,
        {{ promise_last_at('promise_ends_at') }} as promise_last_at,
        {{ promise_last_at('last_promise_ends_at') }} as last_promise_last_at,
        {{ promise_last_at('request_ends_at', 'request_precision') }} as request_last_at
    from {{ ref('fct_shipments') }}
),

waiting as (
    select * from {{ ref('int_waiting_orders') }}
)

{% for variant, shipment_end, order_end, is_kept in [
    ('first_confirmed', 'promise_ends_at', 'first_promise_ends_at', 'is_on_time'),
    ('last_confirmed', 'last_promise_ends_at', 'last_promise_ends_at', 'is_on_time_last_confirmed'),
    ('requested', 'request_ends_at', 'request_ends_at', 'is_on_time_requested'),
] -%}
{{ rate_facts('missed_commitment_rate', variant,
    dispatched_once() ~ ' and (' ~ shipment_end ~ ' <= as_of or ' ~ shipment_end ~ ' is null)',
    "case when is_cancelled_before_dispatch then 'cancelled before dispatch'
        when relation = 'redelivery' then 'a second attempt: the first one counts' else 'not due yet' end",
    shipment_end ~ ' is not null', "'no promise of that kind'", 'not coalesce(' ~ is_kept ~ ', false)', "'kept'",
    shipment_end | replace('ends', 'last'), 'destination_zone', why_met="case when not is_delivered and is_redelivered then 'the first attempt failed'
        when not is_delivered then 'not delivered'
        when delivered_at < " ~ shipment_end ~ " then 'before the promised window' else 'after the promise' end") }}
from shipments
union all
{{ rate_facts('missed_commitment_rate', variant,
    'is_alive and (' ~ order_end ~ ' <= as_of or ' ~ order_end ~ ' is null)',
    "case when not is_alive then 'cancelled before dispatch' else 'not due yet' end",
    order_end ~ ' is not null', "'no promise of that kind'", 'true', "'kept'", order_end | replace('ends', 'last'), 'local_zone', entity='order',
    why_met="'not on a lorry yet'") }}
from waiting
{{ 'union all' if not loop.last }}
{% endfor -%}
