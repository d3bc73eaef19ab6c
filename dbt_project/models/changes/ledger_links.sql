with receipts as (
    select
        {{ node('shipment', 'shipment_no') }} as shipment, {{ node('invoice', 'erp_id') }} as invoice
    from {{ ref('stg_ledger__receipts') }}
),

posted as (
    select shipment as node, invoice as other from receipts
    union
    select invoice, shipment from receipts
)

-- An invoice that Waybill posted belongs to its shipment before the ERP has listed it.
select node, other from posted
where not exists (
    select 1 from {{ ref('links') }} as links
    where links.node = posted.node and links.other = posted.other
)
