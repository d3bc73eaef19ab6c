with delivered_lines as (
    select * from {{ ref('stg_pod__delivered_lines') }}
),

proofs as (
    select * from {{ ref('stg_pod__proofs') }}
)

-- Only what the current version of the proof says.
select
    {{ surrogate_uuid('delivered_lines.source_system', 'delivered_lines.source_id') }} as pod_line_key,
    {{ surrogate_uuid('proofs.source_system', 'proofs.source_id') }} as pod_key,
    delivered_lines.*
from delivered_lines
inner join proofs
    on delivered_lines.source_system = proofs.source_system
    and delivered_lines.pod_id = proofs.pod_id
    and delivered_lines.source_version = proofs.source_version
