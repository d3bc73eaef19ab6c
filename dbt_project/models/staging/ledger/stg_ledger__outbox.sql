with source as (
    select *
    from {{ source('raw_ledger', 'outbox') }}
    where {{ is_loaded(source('raw_ledger', 'outbox')) }}
),

renamed as (
    select
        -- ids
        outbox_id,
        idempotency_key,
        business_id,
        shipment_no,
        decision_id,

        -- texts
        company,
        destination,
        operation,
        payload_hash,
        content_hash,
        input_hash,
        currency,
        state,
        leased_by,
        last_error,

        -- numbers
        revision,
        amount,
        fencing_token,
        attempt_count,

        -- dates and times
        leased_until,
        not_before,
        enqueued_at,
        updated_at
    from source
)

select * from renamed
