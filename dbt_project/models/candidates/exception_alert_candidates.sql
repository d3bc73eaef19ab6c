{# What would be said, and to whom. #}
{% set said = [
    'business_id', 'revision', 'company_id', 'customer_id', 'order_no', 'shipment_no', 'exception_id', 'exception_code',
    'exception_severity', 'exception_cause', 'exception_state', 'opening_date',
] %}
{# Every input of the decision. Left out is what moves by itself: as_of. #}
{% set judged = said + ['erp_connection', 'opened_at', 'changed_at', 'order_status', 'customer_is_active'] %}
with exceptions as (
    select * from {{ ref('int_exception_states') }}
),

shipments as (
    select * from {{ ref('canonical_shipments') }}
),

orders as (
    select * from {{ ref('canonical_orders') }}
),

customers as (
    select * from {{ ref('canonical_customers') }}
),

companies as (
    select * from {{ ref('canonical_companies') }}
),

-- What was over, or on somebody's desk, before go-live is history.
alerts as (
    select
        exceptions.record_id as business_id, cast(exceptions.change_count as bigint) as revision,
        shipments.shipment_no, shipments.order_no, shipments.company_id, shipments.customer_id,
        shipments.order_connection as erp_connection, {{ as_of() }} as as_of,
        exceptions.exception_id, exceptions.code as exception_code, exceptions.severity as exception_severity,
        exceptions.cause_class as exception_cause, exceptions.state as exception_state,
        exceptions.opened_at, exceptions.changed_at,
        {{ local_date('exceptions.opened_at', "coalesce(companies.time_zone, shipments.time_zone, 'UTC')") }}
            as opening_date,
        orders.status as order_status, customers.is_active as customer_is_active
    from exceptions
    inner join shipments
        on exceptions.shipment_id = shipments.shipment_id
    left join orders
        on shipments.order_id = orders.order_id
    left join customers
        on shipments.order_connection = customers.source_system and shipments.customer_id = customers.customer_id
    left join companies
        on shipments.order_connection = companies.source_system and shipments.company_id = companies.company_id
    where {{ go_live_at() }} is null or exceptions.opened_at >= {{ go_live_at() }}
)

select
    business_id, revision, shipment_no, order_no, company_id, customer_id, erp_connection, as_of,
    {{ hash_of(as_texts(judged)) }} as input_hash,
    {{ hash_of(as_texts(said)) }} as content_hash,
    exception_id, exception_code, exception_severity, exception_cause, exception_state, opened_at, changed_at,
    opening_date, order_status, customer_is_active
from alerts
