{# Positions are built by unit and local day: what is new touches its day, and so its neighbours. #}

{# True for rows of a day that is touched, or at most so many known days of its unit away from one that is. #}
{% macro is_near(distance) -%}
    (source_system, device_id, local_day) in (
        select source_system, device_id, local_day from {{ changes_table('touched_days') }}
        where distance <= {{ distance }}
    )
{%- endmacro %}

{# True for instants that can lie on such a day: told without knowing any zone. #}
{% macro may_be_near(instant, distance) -%}
    {{ instant }} >= (
        select min(local_day) - interval 2 day from {{ changes_table('touched_days') }} where distance <= {{ distance }}
    )
    and {{ instant }} <= (
        select max(local_day) + interval 3 day from {{ changes_table('touched_days') }} where distance <= {{ distance }}
    )
{%- endmacro %}

{# The incremental strategy `days`: days up to meta.days away from a touched one are replaced. #}
{% macro get_incremental_days_sql(arguments) -%}
    {{ replaced_where(is_near(model.config.meta.days), arguments) }}
{%- endmacro %}

{# The rows of a table that it has not as it was seen last, or had then and has no longer. #}
{% macro changed_since_seen(name, columns) -%}
    (
        select {{ columns }} from {{ ref(name) }} except select {{ columns }} from {{ left_behind('changes', 'seen_' ~ name | replace('int_', '') | replace('fct_', '')) }}
    )
    union
    (
        select {{ columns }} from {{ left_behind('changes', 'seen_' ~ name | replace('int_', '') | replace('fct_', '')) }} except select {{ columns }} from {{ ref(name) }}
    )
{%- endmacro %}

{# What a fact of a lorry's day says whose it is. #}
{% macro vehicle_day_no() -%}
    coalesce(vehicle_id, device_id) || ' ' || cast(local_day as string)
{%- endmacro %}

{# What the facts of such a day are made from. #}
{% macro vehicle_day_columns() -%}
    vehicle_day_key, source_system, device_id, vehicle_id, local_day, time_zone, depot_id, region, distance_km, loaded_km,
    trip_count, weighed_trip_count, loaded_kg, offered_kg, working_s, idle_s, in_service_s, available_s
{%- endmacro %}
