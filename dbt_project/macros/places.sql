{# Distances on the earth. #}

{# Kilometres along the great circle between two places in degrees, on a sphere of 6,371.0088 km; NULL when a
   coordinate is (LEAST would overlook it). #}
{% macro distance_km(latitude, longitude, to_latitude, to_longitude) -%}
    case
        when {{ latitude }} is not null and {{ longitude }} is not null
            and {{ to_latitude }} is not null and {{ to_longitude }} is not null
            then 2 * 6371.0088 * asin(least(1.0, sqrt(
                pow(sin(radians({{ to_latitude }} - {{ latitude }}) / 2), 2)
                + cos(radians({{ latitude }})) * cos(radians({{ to_latitude }}))
                * pow(sin(radians({{ to_longitude }} - {{ longitude }}) / 2), 2)
            )))
    end
{%- endmacro %}

{# The same in metres. #}
{% macro distance_m(latitude, longitude, to_latitude, to_longitude) -%}
    1000 * {{ distance_km(latitude, longitude, to_latitude, to_longitude) }}
{%- endmacro %}
