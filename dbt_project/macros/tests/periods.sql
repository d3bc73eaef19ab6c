{# No two periods (valid_from to valid_to, open where empty) of what the columns name overlap. #}
{% test periods_apart(model, columns) %}
select {{ columns | join(', ') }}, valid_from, valid_to
from (
    select
        *,
        max(coalesce(valid_to, {{ instant("'2100-01-01 00:00:00+00'") }})) over (
            partition by {{ columns | join(', ') }}
            order by coalesce(valid_from, {{ instant("'1900-01-01 00:00:00+00'") }})
            rows between unbounded preceding and 1 preceding
        ) as taken_until
    from {{ model }}
) as periods
where coalesce(valid_from, {{ instant("'1900-01-01 00:00:00+00'") }}) < taken_until
    or valid_to <= valid_from
{% endtest %}
