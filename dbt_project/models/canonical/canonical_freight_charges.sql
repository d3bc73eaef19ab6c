with freight_charges as (
    select * from {{ ref('stg_carrier__freight_charges') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as freight_charge_key,
    freight_charges.*
from freight_charges
