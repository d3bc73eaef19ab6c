with invoice_lines as (
    select * from {{ ref('stg_erp__invoice_lines') }}
),

invoices as (
    select * from {{ ref('stg_erp__invoices') }}
)

-- Lines of an older version of the invoice do not surface.
select
    {{ surrogate_uuid('invoice_lines.source_system', 'invoice_lines.source_id') }} as invoice_line_key,
    {{ surrogate_uuid('invoices.source_system', 'invoices.source_id') }} as invoice_key,
    invoice_lines.*,
    invoices.currency
from invoice_lines
inner join invoices
    on invoice_lines.source_system = invoices.source_system
    and invoice_lines.invoice_id = invoices.invoice_id
    and invoice_lines.source_version = invoices.source_version
