with orders as (
    select * from {{ ref('stg_erp__orders') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as order_id,
    order_id as order_no,
    customer_id,
    company_id,
    bill_to_id,
    depot_id,
    po_no,

    currency,
    status,
    promise_precision,
    time_quality,
    time_zone,

    fx_rate,
    net_total_amount,
    tax_total_amount,
    grand_total_amount,

    fx_rate_date,
    ordered_at,
    confirmed_at,
    credit_ok_at,
    cancelled_at,
    earliest_release_at,
    requested_delivery_at,
    requested_delivery_date,
    promised_from_at,
    first_promised_at,
    last_promised_at,

    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from orders
