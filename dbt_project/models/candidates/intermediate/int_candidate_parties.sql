with candidates as (
    select * from {{ ref('int_candidate_shipments') }}
),

orders as (
    select * from {{ ref('canonical_orders') }}
),

customers as (
    select * from {{ ref('int_billed_customers') }}
),

companies as (
    select * from {{ ref('canonical_companies') }}
),

currencies as (
    select * from {{ ref('currencies') }}
)

-- Who is billed by whom and on which terms, as the ERP says today.
select
    candidates.shipment_id,
    orders.status as order_status,
    nullif(trim(orders.po_no), '') as po_no,
    orders.fx_rate,
    orders.fx_rate_date,
    currencies.currency is not null as is_known_currency,
    customers.is_active as customer_is_active,
    customers.is_on_billing_hold, customers.is_self_billed, customers.requires_po,
    customers.requires_signature, customers.requires_photo, customers.allows_partial,
    customers.billing_currency, customers.credit_limit_amount, customers.vat_id, customers.is_vat_id_valid,
    nullif(trim(customers.bill_to_address), '') as bill_to_address,
    nullif(trim(customers.payment_terms), '') as payment_terms,
    companies.currency as company_currency,
    companies.books_closed_until,
    coalesce(companies.time_zone, candidates.time_zone, 'UTC') as company_time_zone
from candidates
left join orders
    on candidates.order_id = orders.order_id
left join customers
    on candidates.order_connection = customers.source_system and candidates.customer_id = customers.customer_id
left join companies
    on candidates.order_connection = companies.source_system and candidates.company_id = companies.company_id
left join currencies
    on candidates.currency = currencies.currency
