{{ waits_for('touched_stops') }}
with stops as (
    select * from {{ everything_of('canonical_stops') }}
    {%- if builds_on() %}
    where stop_key in (select stop_key from {{ changes_table('touched_stops') }})
    {%- endif %}
),

parties as (
    select * from {{ ref('int_stop_parties') }}
),

visits as (
    select
        *,
        row_number() over (partition by stop_key order by apart_s, begun_at, geofence_visit_key) as visit_rank
    from {{ ref('int_stop_visits') }}
    {%- if builds_on() %}
    where stop_key in (select stop_key from {{ changes_table('touched_stops') }})
    {%- endif %}
),

-- Until somebody left, nobody knows how long it took.
joined as (
    select
        stops.*, parties.company_id, parties.customer_id, parties.carrier_id, parties.is_waiting_charged,
        visits.geofence_visit_key,
        visits.arrived_at as telematics_arrived_at,
        visits.departed_at as telematics_departed_at,
        {{ epoch_s('stops.departed_at') }} - {{ epoch_s('stops.arrived_at') }} as dwell_s
    from stops
    left join parties on stops.stop_key = parties.stop_key
    left join visits on stops.stop_key = visits.stop_key and visits.visit_rank = 1
),

detained as (
    select *, case when dwell_s > free_time_s then dwell_s - free_time_s when dwell_s <= free_time_s then 0 end as detention_s
    from joined
)

select
    stop_key, stop_id, source_system, trip_id, vehicle_id, driver_id, depot_id, company_id, customer_id, carrier_id,
    location_id, location_name, location_kind, region, time_zone, sequence_nr,
    planned_start_at, planned_end_at, arrived_at, departed_at, telematics_arrived_at, telematics_departed_at,
    geofence_visit_key, free_time_s, shipment_count, is_delivery, delivered_count, failed_count, time_quality,
    {{ epoch_s('arrived_at') }} - {{ epoch_s('planned_start_at') }} as lateness_s,
    dwell_s,
    {{ epoch_s('telematics_departed_at') }} - {{ epoch_s('telematics_arrived_at') }} as telematics_dwell_s,
    {{ epoch_s('arrived_at') }} - {{ epoch_s('telematics_arrived_at') }} as arrival_difference_s,
    detention_s,
    case when is_waiting_charged then true when detention_s = 0 then false end as is_detention_billable
from detained
