with source as (
    {{ current_rows(source('raw_erp', 'customers')) }}
),

renamed as (
    select
        -- ids
        customer_id,
        vat_id,

        -- texts
        name,
        billing_currency,
        country,
        region,
        payment_terms,
        bill_to_address,

        -- numbers
        credit_limit_amount,

        -- booleans
        is_active,
        is_on_billing_hold,
        is_self_billed,
        requires_po,
        requires_signature,
        requires_photo,
        allows_partial,

        -- where it came from
        source_system,
        source_id,
        source_version,
        ingested_at,
        run_id,
        contract_version
    from source
)

select * from renamed
