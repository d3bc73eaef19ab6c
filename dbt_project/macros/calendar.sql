{# Working calendars: days, hours of the clock on the wall, and the working seconds between two instants. #}

{# Every day from one to another, as a column `local_day` of a relation. #}
{% macro days_from_to(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_from_to')(first_day, last_day)) }}
{%- endmacro %}

{% macro duckdb__days_from_to(first_day, last_day) -%}
    select cast(unnest(generate_series({{ first_day }}, {{ last_day }}, interval 1 day)) as date) as local_day
{%- endmacro %}

{% macro spark__days_from_to(first_day, last_day) -%}
    select explode(sequence({{ first_day }}, {{ last_day }})) as local_day
{%- endmacro %}

{# 1 is Monday, 7 is Sunday. #}
{% macro weekday(day) -%}
    {{ return(adapter.dispatch('weekday')(day)) }}
{%- endmacro %}

{% macro duckdb__weekday(day) -%}
    isodow({{ day }})
{%- endmacro %}

{% macro spark__weekday(day) -%}
    (weekday({{ day }}) + 1)
{%- endmacro %}

{# The instant at which clocks in `zone` show `time` (text, 00:00 to 24:00) on a day. #}
{% macro wall_time(day, time, zone) -%}
    {{ return(adapter.dispatch('wall_time')(day, time, zone)) }}
{%- endmacro %}

{% macro duckdb__wall_time(day, time, zone) -%}
    timezone({{ zone }}, cast({{ day }} as timestamp) + {{ minutes_of(time) }} * interval 1 minute)
{%- endmacro %}

{% macro spark__wall_time(day, time, zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp) + make_interval(0, 0, 0, 0, 0, {{ minutes_of(time) }}, 0), {{ zone }})
{%- endmacro %}

{% macro minutes_of(time) -%}
    (cast(substr({{ time }}, 1, 2) as integer) * 60 + cast(substr({{ time }}, 4, 2) as integer))
{%- endmacro %}

{# Seconds of a stretch that have passed at `instant`; 0 where there is no such stretch. #}
{% macro worked_s(instant, opens, closes) -%}
    case
        when {{ opens }} is null or {{ instant }} <= {{ opens }} then 0
        when {{ instant }} >= {{ closes }} then {{ epoch_s(closes) }} - {{ epoch_s(opens) }}
        else {{ epoch_s(instant) }} - {{ epoch_s(opens) }}
    end
{%- endmacro %}
