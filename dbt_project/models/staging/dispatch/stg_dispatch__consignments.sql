with source as (
    {{ current_rows(source('raw_dispatch', 'consignments')) }}
),

renamed as (
    select
        -- ids
        consignment_id,
        order_id,
        parent_id,
        depot_id,
        delivery_location_id,
        carrier_id,

        -- texts
        status,
        relation,
        time_zone,

        -- dates and times
        cancelled_at,

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
