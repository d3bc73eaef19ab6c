with carriers as (
    select * from {{ ref('stg_carrier__carriers') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as carrier_key,
    carriers.*
from carriers
