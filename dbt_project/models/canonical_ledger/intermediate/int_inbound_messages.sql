with kinds as (
    select * from {{ ref('message_resources') }}
),

letters as (
    select
        letters.*,
        coalesce(letters.source_id, letters.raw_sha256) as business_id,
        row_number() over (
            partition by letters.connection, letters.resource, coalesce(letters.source_id, letters.raw_sha256),
                letters.source_version
            -- what is still wrong speaks for the message, else what was wrong last and is loaded by now
            order by case
                when letters.status = 'open' then 1 when letters.status in ('parked', 'replaying') then 2
                when letters.status in ('resolved', 'replayed') then 3 else 4
            end,
                letters.received_at desc, letters.dead_letter_id
        ) as place,
        count(*) over (
            partition by letters.connection, letters.resource, coalesce(letters.source_id, letters.raw_sha256),
                letters.source_version
        ) as letter_count
    from {{ ref('stg_ledger__dead_letters') }} as letters
    inner join kinds on letters.kind = kinds.kind and letters.resource = kinds.resource
),

counts as (
    select counts.*
    from {{ ref('stg_ledger__ingest_counts') }} as counts
    inner join kinds on counts.source = 'raw_' || kinds.kind and counts.resource = kinds.resource
    where counts.loaded > 0
)

select
    'inbound' as direction, connection, resource, business_id, cast(source_version as string) as version,
    order_ref as order_no, shipment_ref as shipment_no,
    case
        when status in ('open', 'discarded') then 'failed' when status in ('parked', 'replaying') then 'pending'
        else 'succeeded'
    end as outcome,
    case status when 'open' then 'DEAD_LETTERED' else upper(status) end as state,
    case
        -- what somebody threw away was refused for good
        when status not in ('open', 'discarded') then null
        when reason in ('UNKNOWN_PARENT', 'VERSION_CONFLICT', 'TOTAL_MISMATCH', 'QUANTITY_SIGN', 'CYCLE', 'STATUS_UNKNOWN',
            'CURRENCY_INVALID', 'END_BEFORE_START') then 'business'
        else 'technical'
    end as failure_class,
    reason,
    -- one that was loaded after all is counted among those that its run, or its replay, accepted
    case when status in ('resolved', 'replayed') then 0 else 1 end as message_count,
    letter_count as attempt_count, letter_count as failed_attempt_count,
    received_at as first_seen_at, received_at as last_seen_at, trace_id, run_id
from letters
where place = 1

union all

select
    'inbound', connection, resource, null, null, null, null,
    'succeeded', 'LOADED', null, null, loaded, loaded, 0, counted_at, counted_at, null, run_id
from counts
