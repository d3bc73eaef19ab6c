{{ waits_for('touched_days') }}
with positions as (
    select * from {{ ref('stg_telematics__positions') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as position_key,
    positions.*
from positions
