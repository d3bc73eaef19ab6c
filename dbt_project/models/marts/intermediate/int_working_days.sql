{% set moments = ['confirmed_at', 'released_at', 'departed_at', 'delivered_at', 'pod_captured_at', 'pod_received_at',
    'gate_released_at', 'first_invoice_posted_at'] %}
with calendars as (
    select distinct calendar, time_zone from {{ ref('int_working_sites') }}
),

-- A day more on each side: the local day may be another than that in UTC.
span as (
    select
        cast(least({% for name in moments %}min({{ name }}){{ ', ' if not loop.last }}{% endfor %}) as date) - 1 as first_day,
        cast(greatest({% for name in moments %}max({{ name }}){{ ', ' if not loop.last }}{% endfor %}) as date) + 1 as last_day
    from {{ ref('fct_shipments') }}
),

days as (
    {{ days_from_to('first_day', 'last_day') }}
    from span
),

planned as (
    select
        calendars.calendar, calendars.time_zone, days.local_day,
        {%- for name in ['opens', 'closes', 'opens_again', 'closes_again'] %}
        case when holidays.calendar is null then {{ wall_time('days.local_day', 'hours.' ~ name, 'calendars.time_zone') }} end
            as {{ name }}_at{{ ',' if not loop.last }}
        {%- endfor %}
    from calendars
    cross join days
    left join {{ ref('working_hours') }} as hours
        on calendars.calendar = hours.calendar and {{ weekday('days.local_day') }} = hours.weekday
    left join {{ ref('holidays') }} as holidays
        on calendars.calendar = holidays.calendar and days.local_day = holidays.holiday_date
),

measured as (
    select
        *,
        coalesce({{ epoch_s('closes_at') }} - {{ epoch_s('opens_at') }}, 0)
        + coalesce({{ epoch_s('closes_again_at') }} - {{ epoch_s('opens_again_at') }}, 0) as day_s
    from planned
)

select
    calendar, time_zone, local_day, opens_at, closes_at, opens_again_at, closes_again_at,
    sum(day_s) over (partition by calendar, time_zone order by local_day) - day_s as worked_before_s
from measured
