with placed as (
    select
        positions.source_system, positions.device_id, positions.positioned_at, positions.ignition,
        positions.latitude, positions.longitude,
        {{ local_date('positions.positioned_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day
    from {{ ref('canonical_positions') }} as positions
    left join {{ ref('int_device_zones') }} as zones on positions.device_id = zones.device_id
    where positions.quality = 'ok'
    {%- if builds_on() %} and {{ may_be_near('positions.positioned_at', 2) }}{% endif %}
),

fixes as (
    select
        *,
        lag(positioned_at) over device as from_at,
        lag(local_day) over device as from_day,
        lag(ignition) over device as was_ignition,
        lag(latitude) over device as from_latitude,
        lag(longitude) over device as from_longitude,
        lead(positioned_at) over device as next_at
    from placed
    {%- if builds_on() %}
    where {{ is_near(2) }}
    {%- endif %}
    window device as (partition by source_system, device_id order by positioned_at)
)

-- Sorting all fixes is the dear part: what follows reads this and sorts only what is near something.
select
    source_system, device_id, local_day, positioned_at, latitude, longitude,
    from_at, from_day, was_ignition, from_latitude, from_longitude, next_at,
    {{ epoch_s('positioned_at') }} - {{ epoch_s('from_at') }} as seconds,
    {{ distance_km('from_latitude', 'from_longitude', 'latitude', 'longitude') }} as distance_km
from fixes
{%- if builds_on() %}
where {{ is_near(1) }}
{%- endif %}
