with trips as (
    select * from {{ ref('stg_dispatch__trips') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as trip_key,
    trips.*
from trips
