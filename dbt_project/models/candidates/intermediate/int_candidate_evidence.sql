with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

documents as (
    select
        pod_key,
        sum(case when kind = 'signature' and status = 'sealed' then 1 else 0 end) as sealed_signature_count,
        sum(case when kind = 'photo' and status = 'sealed' then 1 else 0 end) as sealed_photo_count,
        sum(case when status = 'sealed' and lower(declared_sha256) <> lower(sha256) then 1 else 0 end)
            as evidence_hash_mismatch_count
    from {{ ref('canonical_evidence') }}
    group by pod_key
),

heads as (
    select * from {{ ref('int_shipment_heads') }}
),

actions as (
    select * from {{ ref('int_shipment_actions') }}
),

charges as (
    select shipment_id, sum(case when is_evidenced then 0 else 1 end) as unevidenced_charge_count
    from {{ ref('int_candidate_charges') }}
    group by shipment_id
)

-- What proves the delivery of a candidate, and what speaks against it.
select
    candidates.*,
    coalesce(documents.sealed_signature_count, 0) as sealed_signature_count,
    coalesce(documents.sealed_photo_count, 0) as sealed_photo_count,
    coalesce(documents.evidence_hash_mismatch_count, 0) as evidence_hash_mismatch_count,
    coalesce(charges.unevidenced_charge_count, 0) as unevidenced_charge_count,
    {{ distance_m('candidates.pod_latitude', 'candidates.pod_longitude', 'heads.latitude', 'heads.longitude') }}
        as pod_distance_m,
    candidates.has_pod_damage or coalesce(actions.has_damage, false) as has_open_damage
from candidates
left join documents on candidates.pod_key = documents.pod_key
left join heads on candidates.shipment_id = heads.shipment_id
left join actions on candidates.shipment_id = actions.shipment_id
left join charges on candidates.shipment_id = charges.shipment_id
