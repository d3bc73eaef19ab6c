with tax_codes as (
    select * from {{ ref('stg_erp__tax_codes') }}
)

select
    {{ surrogate_uuid('source_system', 'source_id') }} as tax_code_key,
    tax_codes.*
from tax_codes
