{# One test per model instead of one per column: each costs a query of its own on every run. #}

{# The columns together name a row once, and none of them is NULL, unless listed in `nullable`. #}
{% test key(model, columns, nullable=[]) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns if column not in nullable %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}

{# None of the columns is NULL. #}
{% test known(model, columns) %}
select *
from {{ model }}
where {% for column in columns %}{{ column }} is null{{ ' or ' if not loop.last }}{% endfor %}
{% endtest %}
