with effects as (
    select idempotency_key, max(business_id) as business_id
    from {{ ref('stg_ledger__outbox') }}
    group by idempotency_key
),

letters as (
    select dead_letter_id, max(shipment_ref) as shipment_ref
    from {{ ref('stg_ledger__dead_letters') }}
    group by dead_letter_id
),

shipment_numbers as (
    select shipment_no, min(shipment_id) as shipment_id from {{ ref('fct_shipments') }}
    group by shipment_no
    having count(*) = 1
)

-- What people did by hand, and to which shipment: an effect, a refused row of it, or the shipment itself.
select
    entries.sequence, actions.action, entries.event, entries.subject, entries.recorded_at,
    coalesce(effects.business_id, shipment_numbers.shipment_id) as shipment_id
from {{ ref('stg_ledger__entries') }} as entries
inner join {{ ref('manual_actions') }} as actions on entries.event = actions.event
left join effects on entries.subject = effects.idempotency_key
left join letters on entries.subject = letters.dead_letter_id
left join shipment_numbers on coalesce(letters.shipment_ref, entries.subject) = shipment_numbers.shipment_no
