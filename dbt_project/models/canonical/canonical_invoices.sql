with invoices as (
    select * from {{ ref('stg_erp__invoices') }}
),

companies as (
    select * from {{ ref('canonical_companies') }}
),

customers as (
    select * from {{ ref('canonical_customers') }}
),

delivered as (
    select * from {{ ref('canonical_shipments') }}
    where is_delivered
),

deliveries as (
    select order_connection, shipment_no, max(delivered_at) as delivered_at
    from delivered
    group by order_connection, shipment_no
),

-- An invoice for an order as a whole is of all its deliveries; the last of them completes it.
orders as (
    select order_connection, order_no, max(delivered_at) as delivered_at
    from delivered
    group by order_connection, order_no
)

select
    {{ surrogate_uuid('invoices.source_system', 'invoices.source_id') }} as invoice_key,
    invoices.invoice_id,
    invoices.company_id,
    invoices.customer_id,
    invoices.order_id as order_no,
    invoices.shipment_id as shipment_no,
    invoices.po_no,
    companies.vat_id as seller_vat_id,
    customers.vat_id as buyer_vat_id,
    invoices.currency,
    invoices.status,
    invoices.is_credit_note,
    invoices.credited_invoice_id,
    invoices.idempotency_key,
    invoices.idempotency_key is not null as is_waybill,
    invoices.net_total_amount,
    invoices.tax_total_amount,
    invoices.grand_total_amount,
    invoices.payment_terms,
    {{ local_date('case when invoices.shipment_id is null then orders.delivered_at else deliveries.delivered_at end',
        "coalesce(companies.time_zone, 'UTC')") }} as delivery_date,
    invoices.issue_date,
    invoices.due_date,
    invoices.created_at,
    invoices.posted_at,
    invoices.source_system,
    invoices.source_id,
    invoices.source_version,
    invoices.ingested_at,
    invoices.run_id,
    invoices.contract_version
from invoices
left join companies
    on invoices.source_system = companies.source_system and invoices.company_id = companies.company_id
left join customers
    on invoices.source_system = customers.source_system and invoices.customer_id = customers.customer_id
left join deliveries
    on invoices.source_system = deliveries.order_connection and invoices.shipment_id = deliveries.shipment_no
left join orders
    on invoices.source_system = orders.order_connection and invoices.order_id = orders.order_no
