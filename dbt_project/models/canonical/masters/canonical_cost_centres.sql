with cost_centres as (
    select * from {{ ref('stg_erp__cost_centres') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as cost_centre_key,
    cost_centres.*
from cost_centres
