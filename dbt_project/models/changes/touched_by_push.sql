{{ waits_for('message_resources') }}
{{ waits_for('stg_ledger__dead_letters') }}
{{ waits_for('stg_gate__decisions') }}
{{ waits_for('stg_ledger__outbox') }}
{{ waits_for('stg_ledger__receipts') }}
{{ waits_for('canonical_orders') }}
{{ waits_for('ledger_rows') }}
{{ waits_for('ledger_links') }}
{{ waits_for('links') }}
{%- set facts, seen = left_behind('marts', 'kpi_facts'), left_behind('changes', 'ledger_seen') %}
{% if not builds_on() -%}
-- Everything is built, so nothing is chosen.
select node from {{ ref('touched') }}
{%- else -%}
with recursive noted as (
    select node, content from {{ ref('ledger_rows') }}
    except
    select node, content from {{ seen }}
),

seeds as (
    select node from {{ ref('touched') }}
    union
    select node from noted
    union
    -- What is Waybill's own goes by the key of its shipment, also when no source lists that one.
    {%- for own in ['stg_gate__decisions', 'stg_ledger__outbox', 'stg_ledger__receipts'] %}
    select {{ node('key', 'business_id') }} from {{ ref(own) }}
    where {{ node('shipment', 'shipment_no') }} in (select node from noted)
    union
    {%- endfor %}
    -- What came in is counted in bulk, or was refused: few rows, of no shipment.
    select {{ node('key', 'resource') }} from {{ ref('message_resources') }}
    union
    select {{ node('key', 'coalesce(source_id, raw_sha256)') }} from {{ ref('stg_ledger__dead_letters') }}
    union
    -- A promise that fell due in the meantime.
    select {{ node('order', 'order_no') }} from {{ ref('canonical_orders') }}
    where {% for column, is_day in [
            ('first_promised_at', "promise_precision = 'date'"), ('last_promised_at', "promise_precision = 'date'"),
            ('requested_delivery_at', 'false'), ('requested_delivery_date', 'true'),
        ] -%}
        {{ may_have_passed(column, is_day) }} {{ 'or ' if not loop.last }}
        {%- endfor %}
    union
    -- What waits grows older, and what has no day of its own goes with the run's.
    select {{ fact_node() }} from {{ facts }}
    where {{ few_of(facts, "standing <> 'out' and (standing = 'open' or age_days is not null or period_date >= cast("
        ~ last_built_at() ~ " as date) - 1)") }}
),

linked as (
    select node, other from {{ ref('links') }}
    union all
    select node, other from {{ ref('ledger_links') }}
),

{{ closure('seeds', 'linked') }}

select node from reached
{%- endif %}
