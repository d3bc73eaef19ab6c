with vehicles as (
    select * from {{ ref('stg_dispatch__vehicles') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as vehicle_key,
    vehicles.*
from vehicles
