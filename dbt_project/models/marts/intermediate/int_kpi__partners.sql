{% set living = "not is_abandoned" %}
{% set why_not = "'abandoned: retired before its first message'" %}
with partners as (
    select
        partners.partner_id, partners.partner_id as partner_no, partners.requested_at,
        -- What was accepted while it was tried out is no production message.
        case when partners.lifecycle in ('production', 'retired') then partners.first_accepted_at end as accepted_at,
        case when partners.lifecycle in ('production', 'retired') then stability.stable_at end as stable_at,
        partners.lifecycle = 'retired' and partners.first_accepted_at is null as is_abandoned,
        {{ as_of() }} as as_of, 'UTC' as time_zone, 'exact' as time_quality,
        {{ connection_dimensions('partners.partner_id') }}
    from {{ ref('canonical_partners') }} as partners
    left join {{ ref('int_partner_stability') }} as stability on partners.partner_id = stability.partner_id
)

{{ duration_facts('partner_onboarding_s', 'requested_at', 'accepted_at', 'time_zone', living, why_not, entity='partner',
    connection='connection') }}
from partners
union all
{{ duration_facts('partner_time_to_stable_s', 'requested_at', 'stable_at', 'time_zone', living, why_not,
    entity='partner', connection='connection') }}
from partners
