{%- for metric in metric_definitions() if metric is mapping %}
select
    {{ text(metric.name) }} as metric,
    {{ text(metric.unit) }} as unit,
    {{ text(metric_aggregation(metric)) }} as aggregation,
    {{ text(metric_formula(metric)) }} as formula,
    {{ text(metric.scope) }} as scope,
    {{ text(metric.get('edges') or '') }} as edges,
    {{ text(metric_settings(metric)) }} as settings,
    {{ text(metric.get('variants', {'default': ''}).keys() | join(' ')) }} as variants,
    {{ text(metric.entities | join(' ')) }} as entities
union all
{%- endfor %}
select null, null, null, null, null, null, null, null, null
where false
