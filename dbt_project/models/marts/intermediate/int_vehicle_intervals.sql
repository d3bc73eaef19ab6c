with placed as (
    select
        positions.source_system, positions.device_id, positions.positioned_at, positions.ignition,
        positions.latitude, positions.longitude, coalesce(zones.time_zone, 'UTC') as time_zone,
        {{ local_date('positions.positioned_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day
    from {{ ref('canonical_positions') }} as positions
    left join {{ ref('int_device_zones') }} as zones on positions.device_id = zones.device_id
    where positions.quality = 'ok'
),

fixes as (
    select
        *,
        lag(positioned_at) over device as from_at,
        lag(local_day) over device as from_day,
        lag(ignition) over device as was_ignition,
        lag(latitude) over device as from_latitude,
        lag(longitude) over device as from_longitude
    from placed
    window device as (partition by source_system, device_id order by positioned_at)
),

measured as (
    select
        *,
        {{ epoch_s('positioned_at') }} - {{ epoch_s('from_at') }} as seconds,
        {{ distance_km('from_latitude', 'from_longitude', 'latitude', 'longitude') }} as distance_km
    from fixes
    where from_at is not null
),

-- A longer silence is unknown, not idle.
known as (
    select *, coalesce(was_ignition, distance_km > {{ var('moved_km') }}) as is_working
    from measured
    where seconds <= {{ var('longest_gap_s') }}
),

-- What spans midnight is split there; the way belongs to the day on which it ended.
parts as (
    select
        source_system, device_id, time_zone, is_working, distance_km, local_day,
        case
            when from_day = local_day then seconds
            else {{ epoch_s('positioned_at') }} - {{ epoch_s(start_of_local_day('positioned_at', 'time_zone')) }}
        end as seconds
    from known
    union all
    select
        source_system, device_id, time_zone, is_working, 0 as distance_km, from_day as local_day,
        {{ epoch_s(start_of_local_day('positioned_at', 'time_zone')) }} - {{ epoch_s('from_at') }} as seconds
    from known
    where from_day < local_day
)

select source_system, device_id, time_zone, local_day, is_working, seconds, distance_km
from parts
