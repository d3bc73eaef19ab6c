{%- set built = left_behind('changes', 'built_loads') if builds_on() else none -%}
-- Loads that the last complete build had not seen. Later ones wait for the next run, also when they come during this.
{%- for dataset in ['raw_erp', 'raw_dispatch', 'raw_pod', 'raw_wms', 'raw_tms', 'raw_crm', 'raw_carrier', 'raw_telematics'] %}
select '{{ dataset }}' as dataset, load_id
from {{ loads_of(dataset) }}
where status = 0
{%- if built %} and load_id not in (select load_id from {{ built }} where dataset = '{{ dataset }}'){% endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
