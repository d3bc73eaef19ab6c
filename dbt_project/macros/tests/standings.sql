{# Every row that is not out stands in the number over all time, in one of its four counts. #}
{% test adds_up(model, facts) %}
with counted as (
    select metric, variant, sum(n + n_open + n_negative + n_excluded) as row_count
    from {{ model }}
    where grain = 'all' and dimension = 'all'
    group by metric, variant
),

standing as (
    select metric, variant, count(*) as row_count
    from {{ facts }}
    where standing <> 'out'
    group by metric, variant
)

select coalesce(counted.metric, standing.metric) as metric, coalesce(counted.variant, standing.variant) as variant
from counted
full outer join standing on counted.metric = standing.metric and counted.variant = standing.variant
where counted.row_count is null or standing.row_count is null or counted.row_count <> standing.row_count
{% endtest %}

{# Every row of `entities` has a standing in each metric that looks at rows of its kind: in, out, or why neither. #}
{% test all_stand(model, entity_type, entities, but=[]) %}
select metric, variant, count(*) as row_count
from {{ model }}
where entity_type = '{{ entity_type }}'
    {%- if but %} and metric not in ('{{ but | join("', '") }}'){% endif %}
group by metric, variant
having count(*) <> (select count(*) from {{ entities }})
{% endtest %}
