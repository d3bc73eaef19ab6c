{% set zone = "coalesce(time_zone, depot_time_zone, 'UTC')" %}
with order_zones as (
    select order_id, time_zone as order_zone from {{ ref('canonical_orders') }}
),

-- A date promise is written as the midnight at its start in the order's own zone, and holds to the end of that day
-- where the goods are delivered.
shipments as (
    select
        shipments.*,
        {{ end_of_day('requested_date', zone) }} as requested_day_ends_at,
        {%- for column in ['promised_at', 'last_promised_at'] %}
        {{ end_of_day(local_date(column, 'coalesce(order_zone, ' ~ zone ~ ')'), zone) }} as {{ column | replace('_at', '') }}_day_ends_at
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('canonical_shipments') }} as shipments
    left join order_zones on shipments.order_id = order_zones.order_id
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
