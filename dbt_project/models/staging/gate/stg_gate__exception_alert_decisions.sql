with source as (
    select *
    from {{ source('raw_gate', 'decisions') }}
    where {{ is_loaded(source('raw_gate', 'decisions')) }}
        and operation = 'exception_alert'
),

renamed as (
    select
        -- ids
        decision_id,
        business_id,
        company_id,
        order_no,
        shipment_no,
        customer_id,
        run_id,

        -- texts
        verdict,
        codes,
        warnings,
        reasons,
        input_hash,
        content_hash,
        ruleset_version,
        policy_version,
        rules_approved_by,

        -- numbers
        sequence,
        revision,

        -- booleans
        is_first_evaluation,

        -- dates and times
        as_of,
        decided_at
    from source
)

select * from renamed
