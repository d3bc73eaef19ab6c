with shipments as (
    select * from {{ ref('fct_shipments') }}
)

{{ rate_facts('invoice_before_pod_rate', 'default', 'first_invoice_id is not null', "'not invoiced'",
    'first_invoice_posted_at is not null', "'nobody knows when its invoice was posted'",
    'pod_received_at is null or first_invoice_posted_at < pod_received_at', "'its proof came first'",
    'first_invoice_posted_at', 'origin_zone',
    why_met="case when pod_received_at is null then 'invoiced without a live proof' else 'invoiced before its proof' end") }}
from shipments
