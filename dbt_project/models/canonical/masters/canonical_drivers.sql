with drivers as (
    select * from {{ ref('stg_dispatch__drivers') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as driver_key,
    drivers.*
from drivers
