{{ config(materialized='incremental', incremental_strategy='append') }}
-- depends_on: {{ ref('ledger_seen') }}
-- depends_on: {{ ref('seen_device_zones') }}
-- depends_on: {{ ref('seen_trip_spans') }}
-- depends_on: {{ ref('seen_route_legs') }}
-- depends_on: {{ ref('seen_place_cells') }}
select dataset, load_id from {{ ref('new_loads') }}
{%- if builds_on() %}
except
select dataset, load_id from {{ this }}
{%- endif %}
