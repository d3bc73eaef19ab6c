{# Exact decimals. A product of two DECIMAL(18, x) overflows at 18 digits, so both sides are widened first. #}

{# a × b with at most 8 decimals between them; exact. #}
{% macro product(first, second) -%}
    (cast({{ first }} as decimal(38, 4)) * cast({{ second }} as decimal(38, 4)))
{%- endmacro %}

{# Rounded half away from zero to a number of decimals that the currency allows (0 or 2); exact.
   NULL for what 18 digits cannot hold, which the gate stops. #}
{% macro round_money(amount, minor_units) -%}
    case {{ minor_units }}
        when 0 then try_cast(round({{ amount }}, 0) as decimal(18, 4))
        else try_cast(round({{ amount }}, 2) as decimal(18, 4))
    end
{%- endmacro %}

{# `quantity` of one unit in another, by the factors to the stock unit; 4 decimals. Not for money: it divides. #}
{% macro convert_quantity(quantity, factor, target_factor) -%}
    try_cast(
        case
            when {{ factor }} = {{ target_factor }} then {{ quantity }}
            when {{ factor }} > 0 and {{ target_factor }} > 0
                then round({{ quantity }} * {{ factor }} / {{ target_factor }}, 4)
        end as decimal(18, 4)
    )
{%- endmacro %}

{# An amount as the text that leaves: as many decimals as stored, '.' between. #}
{% macro decimal_text(amount) -%}
    cast({{ amount }} as string)
{%- endmacro %}

{# 1 when an amount is finer than an invoice in its currency may be (0 or 2 decimals), else 0. #}
{% macro excess_decimals(amount, minor_units) -%}
    case when {{ amount }} <> {{ round_money(amount, minor_units) }} then 1 else 0 end
{%- endmacro %}
