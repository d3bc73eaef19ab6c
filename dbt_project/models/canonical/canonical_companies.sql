with companies as (
    select * from {{ ref('stg_erp__companies') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as company_key,
    companies.*
from companies
