with partners as (
    select * from {{ ref('canonical_partners') }}
)

select
    partner_key,
    partner_id,
    kind,
    adapter,
    owner,
    criticality,
    lifecycle,
    freshness_s,
    is_destination,
    requested_at,
    first_answered_at,
    first_accepted_at,
    last_accepted_at
from partners
