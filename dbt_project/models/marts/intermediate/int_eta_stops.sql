with predictions as (
    select * from {{ ref('canonical_eta_predictions') }}
),

stops as (
    select stop_key, stop_id from {{ ref('canonical_stops') }}
),

deliveries as (
    select distinct
        shipment_id, {{ surrogate_uuid('source_system', 'stop_id') }} as stop_key
    from {{ ref('canonical_actions') }}
    where stop_id is not null and action_type in ('unload', 'handOver')
)

-- Who names no stop predicts the one where the shipment is handed over.
select predictions.eta_key, predictions.eta_id, predictions.source_system as eta_connection, predictions.issuer,
    predictions.issued_at, predictions.eta_at, predictions.source_version, stops.stop_key
from predictions
inner join stops on predictions.stop_id = stops.stop_id
union all
select predictions.eta_key, predictions.eta_id, predictions.source_system as eta_connection, predictions.issuer,
    predictions.issued_at, predictions.eta_at, predictions.source_version, deliveries.stop_key
from predictions
inner join deliveries on predictions.shipment_id = deliveries.shipment_id
where predictions.stop_id is null
