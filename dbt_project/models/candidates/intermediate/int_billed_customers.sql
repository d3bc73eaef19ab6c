with customers as (
    select
        *,
        nullif(upper(translate(vat_id, ' .-', '')), '') as vat_number
    from {{ ref('canonical_customers') }}
),

formats as (
    select * from {{ ref('vat_formats') }}
)

-- The prefix says which country's form applies; a number without one is judged by the customer's country.
select
    customers.*,
    case
        when customers.vat_number is null then null
        when by_prefix.prefix is not null
            then {{ matches('substr(customers.vat_number, 3)', 'by_prefix.pattern') }}
        when by_country.prefix is not null then false
        else {{ matches('customers.vat_number', "'[A-Z0-9]{4,20}'") }}
    end as is_vat_id_valid
from customers
left join formats as by_prefix
    on substr(customers.vat_number, 1, 2) = by_prefix.prefix
left join formats as by_country
    on customers.country in (by_country.country, by_country.country_code)
