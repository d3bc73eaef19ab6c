with source as (
    {{ current_rows(source('raw_carrier', 'freight_charges')) }}
),

renamed as (
    select
        -- ids
        freight_charge_id,
        order_id,
        consignment_id,
        carrier_id,
        evidence_event_id,
        cost_centre_id,

        -- texts
        currency,
        basis,

        -- numbers
        amount,

        -- dates and times
        charged_at,

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
