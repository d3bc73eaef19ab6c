with sealed as (
    select
        pod_key,
        sum(case when kind = 'signature' and status = 'sealed' then 1 else 0 end) > 0 as has_signature,
        sum(case when kind = 'photo' and status = 'sealed' then 1 else 0 end) > 0 as has_photo,
        sum(case when status = 'sealed' and lower(declared_sha256) <> lower(sha256) then 1 else 0 end) > 0 as has_other_content
    from {{ ref('canonical_evidence') }}
    group by pod_key
)

-- Complete is what the customer asks for under seal, with the content that the proof declared.
select
    shipments.shipment_id,
    coalesce(proofs.has_damage, false) or coalesce(actions.has_damage, false) as is_damaged,
    proofs.pod_key is not null
    and (not coalesce(customers.requires_signature, false) or coalesce(sealed.has_signature, false))
    and (not coalesce(customers.requires_photo, false) or coalesce(sealed.has_photo, false))
    and not coalesce(sealed.has_other_content, false) as is_documents_complete
from {{ ref('fct_shipments') }} as shipments
left join {{ ref('int_shipment_proofs') }} as proofs on shipments.shipment_id = proofs.shipment_id
left join {{ ref('int_shipment_actions') }} as actions on shipments.shipment_id = actions.shipment_id
left join {{ ref('canonical_customers') }} as customers
    on shipments.order_connection = customers.source_system and shipments.customer_id = customers.customer_id
left join sealed on proofs.pod_key = sealed.pod_key
