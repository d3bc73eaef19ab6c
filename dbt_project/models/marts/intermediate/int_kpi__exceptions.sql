with exceptions as (
    select
        *, exception_key as case_id, exception_id as case_no, {{ as_of() }} as as_of, 'exact' as time_quality,
        cast(null as string) as made_by
    from {{ ref('fct_exceptions') }}
)

{{ duration_facts('exception_resolution_s', 'opened_at', 'resolved_at', 'time_zone', 'true', 'null', entity='case',
    connection='exception_connection', measured='resolution_s', severity='severity') }}
from exceptions
union all
{{ duration_facts('exception_detection_s', 'opened_at', 'detected_at', 'time_zone', 'true', 'null', entity='case',
    connection='exception_connection', severity='severity') }}
from exceptions
