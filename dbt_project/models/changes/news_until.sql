{{ waits_for('new_loads') }}
-- Of these loads alone: what a worker loads while the run goes on is news of the next one.
select dataset, max(accepted_at) as accepted_until
from (
    {%- for table in named_nodes() %}
    {%- set dataset, name = table.split('.') %}
    select '{{ dataset }}' as dataset, ingested_at as accepted_at from {{ source(dataset, name) }} where {{ came_in(dataset) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as news
group by dataset
