with source as (
    select *
    from {{ source('raw_ledger', 'receipts') }}
    where {{ is_loaded(source('raw_ledger', 'receipts')) }}
        -- A confirmation is acknowledged too, but carries no money: ISO 4217 calls that XXX.
        and coalesce(currency, '') <> 'XXX'
),

renamed as (
    select
        -- ids
        idempotency_key,
        business_id,
        shipment_no,
        erp_id,
        customer_id,
        order_no,

        -- texts
        destination,
        company,
        currency,

        -- numbers
        revision,
        net_total_amount,
        tax_total_amount,
        grand_total_amount,

        -- dates and times
        cast(issue_date as date) as issue_date,
        posted_at,
        read_back_at
    from source
)

select * from renamed
