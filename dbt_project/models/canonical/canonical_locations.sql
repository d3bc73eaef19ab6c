with locations as (
    select * from {{ ref('stg_dispatch__locations') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as location_key,
    locations.*
from locations
