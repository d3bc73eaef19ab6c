with source as (
    {{ current_rows(source('raw_erp', 'invoices')) }}
),

renamed as (
    select
        -- ids
        invoice_id,
        customer_id,
        company_id,
        order_id,
        shipment_id,
        po_no,
        credited_invoice_id,

        -- texts
        currency,
        status,
        idempotency_key,
        payment_terms,

        -- numbers
        net_total_amount,
        tax_total_amount,
        grand_total_amount,

        -- booleans
        is_credit_note,

        -- dates and times
        created_at,
        posted_at,
        issue_date,
        due_date,

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
