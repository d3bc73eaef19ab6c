{{ waits_for('touched_vehicle_days') }}
{% set serves = 'in_service_s > 0 and is_over' %}
{% set serves_not = "case when is_over then 'not in service' else 'the day is not over' end" %}
with days as (
    select
        vehicle_day_key as vehicle_day_id, {{ vehicle_day_no() }} as vehicle_day_no,
        source_system, vehicle_id, local_day, depot_id, region, in_service_s, available_s, working_s,
        working_s + idle_s as heard_s, distance_km, loaded_km, trip_count, weighed_trip_count, loaded_kg, offered_kg,
        {{ end_of_day('local_day', 'time_zone') }} <= {{ as_of() }} as is_over,
        cast(null as string) as company_id, cast(null as string) as customer_id,
        cast(null as string) as carrier_id, cast(null as string) as made_by
    from {{ ref('fct_vehicle_days') }}
    {%- if builds_on() %}
    where {{ is_touched({'vehicle_day': vehicle_day_no()}, model) }}
    {%- endif %}
)

{{ measured_facts('fleet_utilisation_rate', 'default', 'vehicle_day', serves, serves_not, 'available_s > 0',
    "'in the workshop all day'", 'local_day', 'working_s', 'available_s') }}
from days
union all
{{ measured_facts('fleet_utilisation_rate', 'heard', 'vehicle_day', serves, serves_not, 'heard_s > 0',
    "'nothing was heard of it'", 'local_day', 'working_s', 'heard_s') }}
from days
union all
{{ measured_facts('telemetry_coverage_rate', 'default', 'vehicle_day', serves, serves_not, 'true', 'null',
    'local_day', 'heard_s', 'in_service_s') }}
from days
union all
{{ measured_facts('loaded_km_share', 'default', 'vehicle_day', 'distance_km > 0 and is_over',
    "case when is_over then 'it did not move' else 'the day is not over' end",
    'vehicle_id is not null', "'nobody knows which lorry it was'", 'local_day', '1000 * loaded_km',
    '1000 * distance_km') }}
from days
union all
{{ measured_facts('load_factor_rate', 'default', 'vehicle_day', 'trip_count > 0 and is_over',
    "case when is_over then 'no trip departed' else 'the day is not over' end",
    'weighed_trip_count > 0', "'load or capacity is not known'", 'local_day', 'loaded_kg', 'offered_kg') }}
from days
