with evidence as (
    select * from {{ ref('stg_pod__evidence') }}
),

proofs as (
    select * from {{ ref('stg_pod__proofs') }}
)

-- Only what the current version of the proof says.
select
    {{ surrogate_uuid('evidence.source_system', 'evidence.source_id') }} as evidence_key,
    {{ surrogate_uuid('proofs.source_system', 'proofs.source_id') }} as pod_key,
    evidence.*
from evidence
inner join proofs
    on evidence.source_system = proofs.source_system
    and evidence.pod_id = proofs.pod_id
    and evidence.source_version = proofs.source_version
