{% set reached = "action_type in ('stop', 'unload', 'handOver')" %}
with actions as (
    select * from {{ ref('canonical_actions') }}
    where trip_id is not null
),

driven as (
    select
        source_system, trip_id,
        coalesce(
            min(case when lifecycle = 'realized' and action_type = 'load' then end_at end),
            min(case when lifecycle = 'realized' then start_at end)
        ) as departed_at,
        max(case when lifecycle = 'realized' then coalesce(end_at, start_at) end) as last_at,
        max(case when lifecycle = 'realized' and {{ reached }} and action_type <> 'stop' then end_at end) as last_handover_at,
        sum(case when lifecycle <> 'realized' and {{ reached }} then 1 else 0 end) = 0 as is_over
    from actions
    where coalesce(result_status, '') <> 'cancelled'
    group by source_system, trip_id
),

departed as (
    select
        driven.*, trips.vehicle_id, trips.depot_id,
        driven.departed_at + interval '{{ var("longest_trip_h") }}' hour as latest_at,
        lead(driven.departed_at) over (
            partition by driven.source_system, trips.vehicle_id order by driven.departed_at, driven.trip_id
        ) as next_departed_at
    from driven
    inner join {{ ref('canonical_trips') }} as trips
        on driven.source_system = trips.source_system and driven.trip_id = trips.trip_id
    where trips.vehicle_id is not null and driven.departed_at is not null
),

-- A lorry is on one trip at a time: the next one ends it, whatever dispatch has not heard yet.
ended as (
    select
        *,
        least(case when is_over then last_at else latest_at end, latest_at, coalesce(next_departed_at, latest_at))
            as ended_at
    from departed
)

select
    {{ surrogate_uuid('source_system', 'trip_id') }} as trip_key, source_system, trip_id, vehicle_id, depot_id,
    departed_at, ended_at, is_over,
    -- What was never handed over is still on board.
    least(case when is_over then coalesce(last_handover_at, ended_at) else ended_at end, ended_at) as loaded_until_at
from ended
