{{ config(materialized='view') }}
{% set bucket = 21600 %}
with spans as (
    select
        spans.*, zones.device_id,
        floor({{ epoch_s('spans.departed_at') }} / {{ bucket }}) as first_nr,
        floor({{ epoch_s('spans.ended_at') }} / {{ bucket }}) as last_nr
    from {{ ref('int_trip_spans') }} as spans
    inner join {{ ref('int_device_zones') }} as zones
        on spans.source_system = zones.vehicle_connection and spans.vehicle_id = zones.vehicle_id
),

steps as (
    {{ numbers(var('longest_trip_h') // 6 + 1) }}
),

-- Steps meet the trips of their own quarter of a day alone.
spread as (
    select spans.*, spans.first_nr + steps.step as time_nr
    from spans
    inner join steps on spans.first_nr + steps.step <= spans.last_nr
)

select
    steps.source_system, steps.device_id, steps.local_day, steps.positioned_at, steps.from_at, steps.next_at,
    steps.latitude, steps.longitude, steps.seconds, steps.distance_km,
    spread.trip_key, steps.positioned_at <= spread.loaded_until_at as is_loaded
from {% if builds_on() %}(select * from {{ ref('int_vehicle_steps') }} where {{ is_near(1) }}){% else %}{{ ref('int_vehicle_steps') }}{% endif %} as steps
inner join spread
    on steps.device_id = spread.device_id
    and floor({{ epoch_s('steps.positioned_at') }} / {{ bucket }}) = spread.time_nr
    and steps.positioned_at > spread.departed_at and steps.positioned_at <= spread.ended_at
