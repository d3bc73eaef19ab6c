with proofs as (
    select * from {{ ref('stg_pod__proofs') }}
),

replaced as (
    select distinct source_system, supersedes_id
    from proofs
    where supersedes_id is not null
),

shipment_numbers as (
    select * from {{ ref('int_shipment_numbers') }}
)

select
    {{ surrogate_uuid('proofs.source_system', 'proofs.source_id') }} as pod_key,
    proofs.pod_id,
    shipment_numbers.shipment_id,
    proofs.consignment_id as shipment_no,
    proofs.order_id as order_no,
    proofs.outcome,
    proofs.failure_reason,
    proofs.captured_at,
    proofs.received_at,
    proofs.voided_at,
    proofs.supersedes_id,
    replaced.supersedes_id is not null as is_superseded,
    replaced.supersedes_id is null and proofs.voided_at is null as is_live,
    proofs.has_damage,
    proofs.has_line_quantities,
    proofs.signer,
    proofs.latitude,
    proofs.longitude,
    proofs.time_quality,
    proofs.source_system,
    proofs.source_id,
    proofs.source_version,
    proofs.ingested_at,
    proofs.run_id,
    proofs.contract_version
from proofs
left join replaced
    on proofs.source_system = replaced.source_system and proofs.pod_id = replaced.supersedes_id
left join shipment_numbers
    on proofs.consignment_id = shipment_numbers.shipment_no
