{{ waits_for('int_kpi_facts_now') }}
{{ waits_for('kpi_facts') }}
-- What is begun and not ended, and what is delivered and not billed: each waits, none is dropped.
select
    metric, variant, entity_type, entity_id, entity_no, age_days, why, unit, currency, amount,
    company_id, customer_id, depot_id, region, carrier_id, connection, severity, made_by
from {{ ref('int_kpi_facts_now' if builds_on() else 'kpi_facts') }}
where standing = 'open' or (age_days is not null and standing <> 'out')
