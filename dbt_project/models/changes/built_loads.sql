{{ config(materialized='incremental', incremental_strategy='append') }}
{{ waits_for('ledger_seen') }}
{{ waits_for('seen_device_zones') }}
{{ waits_for('seen_trip_spans') }}
{{ waits_for('seen_trip_ways') }}
{{ waits_for('seen_place_cells') }}
{{ waits_for('seen_vehicle_days') }}
select dataset, load_id from {{ ref('new_loads') }}
{%- if builds_on() %}
except
select dataset, load_id from {{ this }}
{%- endif %}
