with stops as (
    select
        stop_key, stop_id as stop_no, source_system, company_id, customer_id, depot_id, region, carrier_id,
        coalesce(time_zone, 'UTC') as time_zone, time_quality, arrived_at, departed_at, free_time_s, detention_s,
        is_detention_billable, cast(null as string) as made_by, {{ as_of() }} as as_of
    from {{ ref('fct_stops') }}
),

waits as (
    select *, stop_key as stop_id from stops
)

{{ duration_facts('detention_s', 'arrived_at', 'departed_at', 'time_zone', 'free_time_s is not null',
    "'no free time is agreed'", entity='stop', measured='detention_s') }}
from waits
union all
{{ duration_facts('detention_s', 'arrived_at', 'departed_at', 'time_zone',
    'free_time_s is not null and is_detention_billable',
    "case when is_detention_billable is null then 'nobody says that it may be charged'
        when is_detention_billable then 'no free time is agreed' else 'nothing to charge' end",
    'billable', entity='stop', measured='detention_s') }}
from waits
