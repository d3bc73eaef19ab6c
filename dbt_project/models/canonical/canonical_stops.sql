with actions as (
    select
        *,
        coalesce(stop_id, action_id) as stop_no
    from {{ ref('canonical_actions') }}
    where stop_id is not null or action_type = 'stop'
),

placed as (
    select
        *,
        coalesce(
            min(case when action_type = 'stop' then location_id end) over stop,
            min(case when action_type <> 'load' then location_id end) over stop
        ) as stop_location_id
    from actions
    window stop as (partition by source_system, stop_no)
),

-- One stop from all actions there: arrival and departure are what was realized, by whatever result. The load of
-- goods for a stop happened elsewhere, and earlier.
stops as (
    select
        source_system,
        stop_no,
        min(trip_id) as trip_id,
        min(coalesce(stop_location_id, location_id)) as location_id,
        min(sequence_nr) as sequence_nr,
        min(planned_start_at) as planned_start_at,
        max(planned_end_at) as planned_end_at,
        coalesce(
            min(case when lifecycle = 'realized' and action_type = 'stop' then start_at end),
            min(case when lifecycle = 'realized' then start_at end)
        ) as arrived_at,
        coalesce(
            max(case when lifecycle = 'realized' and action_type = 'stop' then end_at end),
            max(case when lifecycle = 'realized' then end_at end)
        ) as departed_at,
        max(free_time_s) as free_time_s,
        count(distinct shipment_no) as shipment_count,
        sum(case when action_type in ('unload', 'handOver') then 1 else 0 end) > 0 as is_delivery,
        sum(case when action_type in ('unload', 'handOver') and is_done then 1 else 0 end) as delivered_count,
        sum(case when lifecycle = 'realized' and result_status = 'failed' then 1 else 0 end) as failed_count,
        max({{ time_quality_rank('time_quality') }}) as time_quality_rank,
        max(source_version) as source_version,
        max(ingested_at) as ingested_at,
        max(run_id) as run_id,
        max(contract_version) as contract_version
    from placed
    where action_type <> 'load' or coalesce(location_id = stop_location_id, true)
    group by source_system, stop_no
),

trips as (
    select * from {{ ref('canonical_trips') }}
),

locations as (
    select * from {{ ref('canonical_locations') }}
)

select
    {{ surrogate_uuid('stops.source_system', 'stops.stop_no') }} as stop_key,
    stops.stop_no as stop_id, stops.trip_id, trips.vehicle_id, trips.driver_id, trips.depot_id,
    stops.location_id, locations.name as location_name, locations.kind as location_kind,
    locations.region, locations.time_zone,
    stops.sequence_nr, stops.planned_start_at, stops.planned_end_at, stops.arrived_at, stops.departed_at,
    stops.free_time_s, stops.shipment_count, stops.is_delivery, stops.delivered_count, stops.failed_count,
    {{ worst_time_quality('stops.time_quality_rank') }} as time_quality,
    stops.source_system, stops.stop_no as source_id, stops.source_version, stops.ingested_at,
    stops.run_id, stops.contract_version
from stops
left join trips
    on stops.source_system = trips.source_system and stops.trip_id = trips.trip_id
left join locations
    on stops.source_system = locations.source_system and stops.location_id = locations.location_id
