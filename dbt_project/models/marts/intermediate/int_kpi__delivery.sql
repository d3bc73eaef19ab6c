{% set delivered, not_delivered = "is_delivered", "'not delivered'" %}
{% set late = "case when is_early then 'before the promised window' else 'after the promise' end" %}
with shipments as (
    select *, {{ promise_last_at() }} as promise_last_at from {{ ref('fct_shipments') }}
)

{% for variant, column, missed in [
    ('first_confirmed', 'is_on_time', late),
    ('last_confirmed', 'is_on_time_last_confirmed', "'outside the promise'"),
    ('requested', 'is_on_time_requested', "'after what was asked for'"),
] -%}
{{ rate_facts('on_time_rate', variant, delivered, not_delivered, column ~ ' is not null', "'no promise'",
    column, missed, 'delivered_at', 'destination_zone') }}
from shipments
union all
{% endfor -%}
{{ rate_facts('in_full_rate', 'default', delivered, not_delivered, 'is_in_full is not null',
    "'ordered or accepted quantity is not known'", 'is_in_full', "'short'", 'delivered_at', 'destination_zone') }}
from shipments
union all
{{ rate_facts('otif_rate', 'shipment',
    'not is_cancelled_before_dispatch and (is_due or promise_ends_at is null)',
    "case when is_cancelled_before_dispatch then 'cancelled before dispatch' else 'not due yet' end",
    'promise_ends_at is not null', "'no promise is known'", 'is_otif',
    "case when not is_delivered then 'not delivered' when not coalesce(is_on_time, false) then 'not on time'
        else 'not in full' end",
    'promise_last_at', 'destination_zone') }}
from shipments
union all
{{ rate_facts('same_day_invoice_rate', 'default', "pod_outcome in ('succeeded', 'partiallySucceeded')",
    "'no proof of delivery'", 'true', 'null',
    local_date('first_invoice_posted_at', 'origin_zone') ~ ' = ' ~ local_date('pod_received_at', 'origin_zone'),
    "case when first_invoice_posted_at is null then 'not invoiced' else 'on another day' end",
    'pod_received_at', 'origin_zone') }}
from shipments
