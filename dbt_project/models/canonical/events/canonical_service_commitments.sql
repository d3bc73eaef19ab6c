{% set zone = "coalesce(time_zone, depot_time_zone, 'UTC')" %}
with shipments as (
    select
        *,
        {{ end_of_day('requested_date', zone) }} as requested_day_ends_at,
        {{ end_of_local_day('promised_at', zone) }} as promised_day_ends_at,
        {{ end_of_local_day('last_promised_at', zone) }} as last_promised_day_ends_at
    from {{ ref('canonical_shipments') }}
),

windows as (
    select
        *, 'requested' as promise_kind, {{ instant('null') }} as window_starts_at,
        coalesce(requested_day_ends_at, requested_at) as window_ends_at,
        case when requested_date is null then 'timestamp' else 'date' end as window_precision
    from shipments
    union all
    select
        *, 'first_confirmed', promised_from_at,
        case when promise_precision = 'date' then promised_day_ends_at else promised_at end, promise_precision
    from shipments
    union all
    -- A promise that was moved has left its window behind.
    select
        *, 'last_confirmed', case when last_promised_at = promised_at then promised_from_at end,
        case when promise_precision = 'date' then last_promised_day_ends_at else last_promised_at end,
        promise_precision
    from shipments
)

select
    {{ surrogate_uuid('source_system', "source_id || '|' || promise_kind") }} as commitment_key,
    shipment_id,
    shipment_no,
    order_id,
    order_no,
    customer_id,
    promise_kind,
    window_starts_at,
    window_ends_at,
    window_precision,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from windows
where window_ends_at is not null
