with shipments as (
    select * from {{ ref('fct_shipments') }}
),

pushes as (
    select * from {{ ref('fct_invoice_pushes') }}
),

judged as (
    select shipments.*
    from shipments
    inner join pushes on shipments.shipment_id = pushes.business_id
),

unbilled as (
    select
        *,
        ({{ epoch_s('as_of') }} - {{ epoch_s('coalesce(pod_received_at, delivered_at, as_of)') }}) / 86400 as age
    from shipments
    where is_unbilled
),

invoices as (
    select
        invoices.invoice_key as invoice_id, invoices.invoice_id as invoice_no, invoices.company_id,
        invoices.customer_id, shipments.depot_id, shipments.region, shipments.carrier_id, invoices.made_by,
        invoices.posted_at, {{ as_of() }} as as_of,
        invoices.first_credited_at is not null or invoices.status = 'cancelled' as is_corrected,
        coalesce(shipments.origin_zone, 'UTC') as origin_zone
    from {{ ref('fct_invoices') }} as invoices
    left join shipments
        on invoices.shipment_no = shipments.shipment_no
        and coalesce(shipments.order_connection, invoices.erp_connection) = invoices.erp_connection
    where not invoices.is_credit_note and invoices.posted_at is not null
)

{{ rate_facts('first_pass_gate_rate', 'default', 'is_first_pass is not null', "'never judged'", 'true', 'null',
    'is_first_pass', "'blocked at its first evaluation'", 'first_decided_at', 'origin_zone') }}
from judged
union all
{{ rate_facts('invoice_error_rate', 'default', 'true', 'null', 'true', 'null', 'is_corrected',
    "'never corrected'", 'posted_at', 'origin_zone', entity='invoice') }}
from invoices
union all
select
    'unbilled_delivered_amount' as metric, 'default' as variant, 'shipment' as entity_type,
    shipment_id as entity_id, shipment_no as entity_no,
    case when candidate_amount is null or currency is null then 'excluded' else 'in' end as standing,
    case
        when candidate_amount is null or currency is null then 'its amount is not known'
        else 'delivered and not posted'
    end as why,
    {{ local_date('as_of', 'origin_zone') }} as period_date,
    cast(null as double) as duration_s, candidate_amount as amount, cast(null as bigint) as numerator,
    'amount' as unit, currency,
    case when age < 1 then '0-1' when age < 3 then '1-3' when age < 7 then '3-7' else '7+' end as age_days,
    {{ kpi_dimensions() }}
from unbilled
