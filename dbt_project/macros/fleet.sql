{# Vehicles on the map: grid cells, runs of fixes, and ways. #}

{# A degree of latitude in metres, on the sphere that distance_km measures on. #}
{% macro metres_per_degree() -%} 111195.08 {%- endmacro %}

{# Cells that are a fiftieth of a degree high and wide: about 2.2 km, less towards the poles. Columns are counted
   from the antimeridian eastwards, 18,000 of them; a longitude beyond either end comes back from the other. #}
{% macro cell_row(latitude) -%}
    cast(floor(({{ latitude }}) * 50) as bigint)
{%- endmacro %}

{% macro cell_column(longitude) -%}
    cast(floor(({{ longitude }} + 180) * 50) as bigint)
{%- endmacro %}

{% macro cell_column_on_map(column) -%}
    mod({{ column }} + 18000, 18000)
{%- endmacro %}

{# 0, 1, ... one row each, for spreading a row over the cells or hours it touches. #}
{% macro numbers(how_many) -%}
    {%- for number in range(how_many) %}
    select {{ number }} as step {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# True when no silence too long for knowing anything lies between two fixes. #}
{% macro heard_between(from_at, to_at) -%}
    coalesce({{ epoch_s(to_at) }} - {{ epoch_s(from_at) }} <= {{ var('longest_gap_s') }}, false)
{%- endmacro %}

{# Of a run of fixes in their order: the fix of the unit before its first, and after its last; NULL where none is.
   The first fix of all has nothing before it, and MIN would overlook that. #}
{% macro before_run(from_at, first_at) -%}
    case when min({{ from_at }}) < min({{ first_at }}) then min({{ from_at }}) end
{%- endmacro %}

{% macro after_run(next_at, last_at) -%}
    case when max({{ next_at }}) > max({{ last_at }}) then max({{ next_at }}) end
{%- endmacro %}

{# Degrees from one longitude eastwards to another, the shorter way round: the antimeridian is no border. #}
{% macro degrees_east(from_longitude, to_longitude) -%}
    {%- set apart = '(' ~ to_longitude ~ ' - ' ~ from_longitude ~ ')' -%}
    ({{ apart }} - 360 * round({{ apart }} / 360))
{%- endmacro %}

{# Degrees east of 30° W, where no road is: longitudes that can be compared and averaged wherever a lorry stands. #}
{% macro east_of_atlantic(longitude) -%}
    mod({{ longitude }} + 390, 360)
{%- endmacro %}

{# And back. #}
{% macro longitude_of(east_of_atlantic) -%}
    case when {{ east_of_atlantic }} > 210 then {{ east_of_atlantic }} - 390 else {{ east_of_atlantic }} - 30 end
{%- endmacro %}

{# Kilometres from a fix to a leg of a way (from_latitude, from_longitude, and east_km, north_km of its end), on a
   plane laid at the leg's beginning. #}
{% macro distance_to_leg_km(latitude, longitude) -%}
    {%- set east = '(' ~ degrees_east('legs.from_longitude', longitude) ~ ' * legs.km_per_degree_east)' -%}
    {%- set north = '((' ~ latitude ~ ' - legs.from_latitude) * ' ~ metres_per_degree() ~ ' / 1000)' -%}
    {%- set share = 'least(1, greatest(0, coalesce((' ~ east ~ ' * legs.east_km + ' ~ north ~ ' * legs.north_km)'
        ~ ' / nullif(legs.length_squared, 0), 0)))' -%}
    sqrt(pow({{ east }} - {{ share }} * legs.east_km, 2) + pow({{ north }} - {{ share }} * legs.north_km, 2))
{%- endmacro %}
