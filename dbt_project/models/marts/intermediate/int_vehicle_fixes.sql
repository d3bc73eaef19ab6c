with fixes as (
    select
        positions.*,
        coalesce(zones.time_zone, 'UTC') as time_zone,
        {{ local_date('positions.positioned_at', "coalesce(zones.time_zone, 'UTC')") }} as local_day
    from {{ ref('canonical_positions') }} as positions
    left join {{ ref('int_device_zones') }} as zones on positions.device_id = zones.device_id
    {%- if builds_on() %}
    where {{ may_be_near('positions.positioned_at', 0) }}
    {%- endif %}
)

select
    source_system, device_id, local_day, max(time_zone) as time_zone,
    count(*) as fix_count,
    sum(case when quality <> 'ok' then 1 else 0 end) as excluded_fix_count,
    sum(case when {{ epoch_s('received_at') }} - {{ epoch_s('positioned_at') }} > {{ var('late_after_s') }}
        then 1 else 0 end) as late_fix_count,
    min(positioned_at) as first_fix_at,
    max(positioned_at) as last_fix_at
from fixes
{%- if builds_on() %}
where {{ is_near(0) }}
{%- endif %}
group by source_system, device_id, local_day
