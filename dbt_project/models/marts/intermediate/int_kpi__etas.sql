{% set is_sure, why_unsure = "time_quality not in ('gap', 'ambiguous')", "'its local time is not sure'" %}
{% set wrong = "case when error_s > 0 then 'later than told' else 'earlier than told' end" %}
{% set day = local_date('arrived_at', 'zone') %}
with arrivals as (
    select
        *, stop_key as arrival_id, stop_id as arrival_no, coalesce(time_zone, 'UTC') as zone, issuer as made_by,
        {{ as_of() }} as as_of
    from {{ ref('fct_etas') }}
),

predicted as (
    select * from arrivals
    where eta_at is not null
)

{% for hours in [24, 12, 4, 2, 1] -%}
{{ rate_facts('eta_accuracy_rate', 'h' ~ hours, 'true', 'null', is_sure, why_unsure, 'is_accurate', wrong,
    'arrived_at', 'zone', entity='arrival') }}
from predicted
where horizon_h = {{ hours }}
union all
{{ rate_facts('eta_coverage_rate', 'h' ~ hours, 'true', 'null', 'true', 'null', 'eta_at is not null',
    "'nobody told it so early'", 'arrived_at', 'zone', entity='arrival') }}
from arrivals
where horizon_h = {{ hours }}
union all
{{ measured_facts('eta_absolute_error_s', 'h' ~ hours, 'arrival', 'true', 'null', is_sure, why_unsure, day,
    'abs(error_s)', '1', unit='s', duration='abs(error_s)') }}
from predicted
where horizon_h = {{ hours }}
union all
{{ measured_facts('eta_bias_s', 'h' ~ hours, 'arrival', 'true', 'null', is_sure, why_unsure, day,
    'error_s', '1', unit='s', duration='error_s') }}
from predicted
where horizon_h = {{ hours }}
{{ 'union all' if not loop.last }}
{% endfor %}
