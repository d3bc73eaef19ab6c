with predictions as (
    select * from {{ ref('stg_tms__eta_predictions') }}
),

shipment_numbers as (
    select * from {{ ref('int_shipment_numbers') }}
)

select
    {{ surrogate_uuid('predictions.source_system', 'predictions.source_id') }} as eta_key,
    predictions.eta_id,
    shipment_numbers.shipment_id,
    predictions.consignment_id as shipment_no,
    predictions.stop_id,
    predictions.trip_id,
    predictions.issuer,
    predictions.issued_at,
    predictions.eta_at,
    predictions.source_system,
    predictions.source_id,
    predictions.source_version,
    predictions.ingested_at,
    predictions.run_id,
    predictions.contract_version
from predictions
left join shipment_numbers
    on predictions.consignment_id = shipment_numbers.shipment_no
