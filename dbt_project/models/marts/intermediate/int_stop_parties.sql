{{ waits_for('touched_stops') }}
with actions as (
    select
        {{ surrogate_uuid('source_system', 'coalesce(stop_id, action_id)') }} as stop_key,
        source_system, action_id, shipment_id
    from {{ ref('canonical_actions') }}
    where stop_id is not null and action_type <> 'load'
        {%- if builds_on() %}
        and (source_system, stop_id) in (
            select source_system, stop_id from {{ changes_table('touched_stops') }}
        )
        {%- endif %}
),

-- Waiting that the contract lets us charge is claimed as a charge, with an action of the stop as its evidence.
charges as (
    select distinct source_system, evidence_action_id
    from {{ ref('canonical_shipment_charges') }}
    where upper(code) in ('{{ var("waiting_codes") | join("', '") }}')
),

joined as (
    select
        actions.stop_key, shipments.company_id, shipments.customer_id, shipments.carrier_id,
        charges.evidence_action_id is not null as is_charged
    from actions
    left join {{ ref('canonical_shipments') }} as shipments on actions.shipment_id = shipments.shipment_id
    left join charges
        on actions.source_system = charges.source_system and actions.action_id = charges.evidence_action_id
)

-- A stop that serves several customers is nobody's alone.
select
    stop_key,
    case when min(company_id) = max(company_id) then min(company_id) end as company_id,
    case when min(customer_id) = max(customer_id) then min(customer_id) end as customer_id,
    case when min(carrier_id) = max(carrier_id) then min(carrier_id) end as carrier_id,
    max(case when is_charged then 1 else 0 end) = 1 as is_waiting_charged
from joined
group by stop_key
