with shipments as (
    select shipment_id, order_no, coalesce(order_id, source_system || '|' || order_no, shipment_id) as order_key, order_id
    from {{ ref('canonical_shipments') }}
),

-- A proof that replaces another or was voided, a credit note, a cancelled invoice: these take something back.
told as (
    select shipment_id, false as is_correction, ingested_at from {{ ref('canonical_shipments') }}
    union all
    select shipment_id, false, ingested_at from {{ ref('canonical_actions') }}
    union all
    select shipment_id, supersedes_id is not null or voided_at is not null, ingested_at
    from {{ ref('canonical_proofs_of_delivery') }}
    union all
    select shipment_id, false, ingested_at from {{ ref('canonical_shipment_lines') }}
    union all
    select shipment_id, false, ingested_at from {{ ref('canonical_shipment_charges') }}
    union all
    select proofs.shipment_id, false, parts.ingested_at
    from (
        select pod_key, ingested_at from {{ ref('canonical_delivered_lines') }}
        union all
        select pod_key, ingested_at from {{ ref('canonical_evidence') }}
    ) as parts
    inner join {{ ref('canonical_proofs_of_delivery') }} as proofs on parts.pod_key = proofs.pod_key
    union all
    select shipments.shipment_id, false, notes.ingested_at
    from {{ ref('stg_erp__delivery_notes') }} as notes
    inner join shipments on notes.order_id = shipments.order_no
    union all
    select shipment_id, false, ingested_at from {{ ref('canonical_exceptions') }}
    union all
    select business_id, false, read_back_at from {{ ref('stg_ledger__receipts') }}
    union all
    select bills.shipment_id, invoices.is_credit_note or invoices.status = 'cancelled', invoices.ingested_at
    from {{ ref('canonical_invoices') }} as invoices
    inner join {{ ref('int_invoice_shipments') }} as bills
        on {{ surrogate_uuid('invoices.source_system', 'coalesce(invoices.credited_invoice_id, invoices.invoice_id)') }}
        = bills.invoice_key
),

ordered as (
    select order_id, ingested_at from {{ ref('canonical_orders') }}
    union all
    select order_id, ingested_at from {{ ref('canonical_order_lines') }}
)

select shipments.order_key, told.is_correction, told.ingested_at
from told
inner join shipments on told.shipment_id = shipments.shipment_id
union all
select order_id as order_key, false as is_correction, ingested_at
from ordered
