{{ waits_for('canonical_orders') }}
{{ waits_for('ledger_rows') }}
{{ waits_for('ledger_links') }}
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
    -- A promise that fell due in the meantime, a day more on each side for where its day ends.
    select {{ node('order', 'order_no') }} from {{ ref('canonical_orders') }}
    where {% for column in ['first_promised_at', 'last_promised_at', 'requested_delivery_at', 'requested_delivery_date'] -%}
        {{ column }} between {{ last_built_at() }} - interval 2 day and {{ as_of() }} + interval 2 day {{ 'or ' if not loop.last }}
        {%- endfor %}
    union
    -- What waits grows older, and what has no day of its own goes with the run's.
    select {{ fact_node() }} from {{ facts }}
    where standing <> 'out'
        and (standing = 'open' or age_days is not null or period_date >= cast({{ last_built_at() }} as date) - 2)
),

{{ closure('seeds', ref('ledger_links')) }}

select node from reached
{%- endif %}
