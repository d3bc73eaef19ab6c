with shipments as (
    select *, {{ local_date('departed_at', 'origin_zone') }} as left_on
    from {{ ref('fct_shipments') }}
),

touches as (
    select
        touches.sequence, touches.action, touches.subject,
        {{ local_date('touches.recorded_at', "coalesce(shipments.origin_zone, 'UTC')") }} as touched_on,
        {%- for name in ['company_id', 'customer_id', 'depot_id', 'region', 'carrier_id', 'source_system', 'made_by'] %}
        shipments.{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_manual_touches') }} as touches
    left join {{ everything_of('fct_shipments') }} as shipments on touches.shipment_id = shipments.shipment_id
)

select
    'manual_touches_per_100_shipments' as metric, 'default' as variant, 'shipment' as entity_type,
    shipment_id as entity_id, shipment_no as entity_no,
    case when departed_at is null then 'out' else 'in' end as standing,
    case when departed_at is null then 'not dispatched' end as why,
    left_on as period_date,
    {{ counted_fact('cast(0 as bigint)', 'cast(1 as bigint)', 'per_100', 'per_100') }}
    cast(null as string) as age_days,
    {{ kpi_dimensions() }}
from shipments
union all
select
    'manual_touches_per_100_shipments' as metric, 'default' as variant, 'touch' as entity_type,
    cast(sequence as string) as entity_id, subject as entity_no,
    'in' as standing, action as why, touched_on as period_date,
    {{ counted_fact('cast(1 as bigint)', 'cast(0 as bigint)', 'per_100', 'per_100') }}
    cast(null as string) as age_days,
    {{ kpi_dimensions() }}
from touches
