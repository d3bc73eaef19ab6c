{%- set built = [left_behind('changes', 'built_loads')] if builds_on() else [] -%}
{%- if var('event_path') and execute %}{% do built.extend([left_behind('changes_events', 'built_loads'), left_behind('changes_events', 'held_loads')]) %}{% endif -%}
-- Loads that the last complete build had not seen, nor an earlier batch of the worker in the worker's own. Later ones
-- wait for the next run, also when they come during this.
{%- for dataset in ['raw_erp', 'raw_dispatch', 'raw_pod', 'raw_wms', 'raw_tms', 'raw_crm', 'raw_carrier', 'raw_telematics'] %}
select '{{ dataset }}' as dataset, load_id
from {{ loads_of(dataset) }}
where status = 0
{%- if var('event_path') %} and schema_name like 'inbox%'{% endif %}
{%- for relation in built %}
    and load_id not in (select load_id from {{ relation }} where dataset = '{{ dataset }}')
{%- endfor %}
{{ 'union all' if not loop.last }}
{%- endfor %}
