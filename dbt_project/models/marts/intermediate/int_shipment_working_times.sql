{% set moments = {
    'origin': ['confirmed_at', 'released_at', 'departed_at', 'delivered_at', 'pod_received_at', 'gate_released_at',
               'first_invoice_posted_at'],
    'destination': ['delivered_at', 'pod_captured_at', 'pod_received_at'],
} %}
with shipments as (
    select * from {{ ref('fct_shipments') }}
),

moments as (
    {%- for site, names in moments.items() %}
    {%- for name in names %}
    select
        shipment_id, '{{ site }}_{{ name }}' as moment, {{ name }} as instant, {{ site }}_zone as time_zone,
        {{ 'depot_id' if site == 'origin' else 'cast(null as string)' }} as depot_id
    from shipments
    where {{ name }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

placed as (
    select moments.*, sites.calendar, {{ local_date('moments.instant', 'moments.time_zone') }} as local_day
    from moments
    inner join {{ ref('int_working_sites') }} as sites
        on coalesce(moments.depot_id, '') = coalesce(sites.depot_id, '') and moments.time_zone = sites.time_zone
),

worked as (
    select
        placed.shipment_id, placed.moment,
        days.worked_before_s + {{ worked_s('placed.instant', 'days.opens_at', 'days.closes_at') }}
        + {{ worked_s('placed.instant', 'days.opens_again_at', 'days.closes_again_at') }} as worked_s
    from placed
    inner join {{ ref('int_working_days') }} as days
        on placed.calendar = days.calendar and placed.time_zone = days.time_zone and placed.local_day = days.local_day
)

-- Working seconds until each moment, from a day on which all of them begin to be counted.
select
    shipment_id,
    {%- for site, names in moments.items() %}{% set last_site = loop.last %}
    {%- for name in names %}
    max(case when moment = '{{ site }}_{{ name }}' then worked_s end) as {{ site }}_{{ name | replace('_at', '_s') }}
    {{- ',' if not (last_site and loop.last) }}
    {%- endfor %}
    {%- endfor %}
from worked
group by shipment_id
