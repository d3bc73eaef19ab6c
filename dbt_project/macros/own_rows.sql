{# The envelope of a row that Waybill itself keeps, beside those of the rows that it reads from others. #}
{% macro own_envelope(source_id, known_at, run_id='cast(null as string)') -%}
    'waybill' as source_system,
    cast({{ source_id }} as string) as source_id,
    {{ known_at }} as source_version,
    {{ known_at }} as ingested_at,
    {{ run_id }} as run_id,
    'v1' as contract_version
{%- endmacro %}
