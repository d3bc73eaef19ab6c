with charges as (
    select * from {{ ref('stg_dispatch__consignment_charges') }}
),

consignments as (
    select * from {{ ref('stg_dispatch__consignments') }}
)

select
    {{ surrogate_uuid('charges.source_system', 'charges.source_id') }} as shipment_charge_key,
    {{ surrogate_uuid('consignments.source_system', 'consignments.source_id') }} as shipment_id,
    consignments.consignment_id as shipment_no,
    charges.charge_id,
    charges.code,
    charges.amount,
    charges.currency,
    charges.evidence_action_id,
    charges.source_system,
    charges.source_id,
    charges.source_version,
    charges.ingested_at,
    charges.run_id,
    charges.contract_version
from charges
inner join consignments
    on charges.source_system = consignments.source_system
    and charges.consignment_id = consignments.consignment_id
    and charges.source_version = consignments.source_version
