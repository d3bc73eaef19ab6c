with events as (
    select * from {{ ref('stg_telematics__vehicle_events') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as vehicle_event_key,
    events.*
from events
