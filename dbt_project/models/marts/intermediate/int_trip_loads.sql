with loaded as (
    select distinct source_system, trip_id, shipment_id
    from {{ ref('canonical_actions') }}
    where action_type = 'load' and is_done and trip_id is not null and shipment_id is not null
),

lines as (
    select
        shipment_id,
        -- One weight that nobody knows leaves the whole unknown.
        case when count(*) = count(weight_kg) then sum(weight_kg) end as weight_kg
    from {{ ref('canonical_shipment_lines') }}
    group by shipment_id
),

trips as (
    select
        loaded.source_system, loaded.trip_id,
        case when count(*) = count(lines.weight_kg) then sum(lines.weight_kg) end as loaded_kg
    from loaded
    left join lines on loaded.shipment_id = lines.shipment_id
    group by loaded.source_system, loaded.trip_id
)

select spans.trip_key, spans.source_system, spans.trip_id, spans.vehicle_id, spans.departed_at, trips.loaded_kg
from {{ ref('int_trip_spans') }} as spans
left join trips on spans.source_system = trips.source_system and spans.trip_id = trips.trip_id
