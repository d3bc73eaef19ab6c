select
    source_system, device_id, local_day,
    -- Rounded: the sum of doubles depends on the order in which they come.
    round(sum(case when is_working then seconds else 0 end), 3) as working_s,
    round(sum(case when is_working then 0 else seconds end), 3) as idle_s,
    round(sum(distance_km), 3) as distance_km
from {{ ref('int_vehicle_intervals') }}
{%- if builds_on() %}
where {{ is_near(2) }}
{%- endif %}
group by source_system, device_id, local_day
