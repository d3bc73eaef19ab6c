with named as (
    select
        source_system,
        event_id as wrong_event_id,
        {{ each_word('corrective_event_ids') }} as event_id
    from {{ ref('canonical_delivery_event_errors') }}
    where corrective_event_ids is not null
)

select
    source_system,
    event_id,
    min(wrong_event_id) as corrects_event_id
from named
where event_id <> ''
group by source_system, event_id
