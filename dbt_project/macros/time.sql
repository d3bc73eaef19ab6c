{# Instants and the days they fall on. Durations are differences of epoch_s, never of wall times. #}

{# An instant out of a text that names its zone, or NULL of that type. #}
{% macro instant(expression) -%}
    {{ return(adapter.dispatch('instant')(expression)) }}
{%- endmacro %}

{% macro duckdb__instant(expression) -%}
    cast({{ expression }} as timestamp with time zone)
{%- endmacro %}

{% macro spark__instant(expression) -%}
    cast({{ expression }} as timestamp)
{%- endmacro %}

{# Seconds since 1970 with fractions. #}
{% macro epoch_s(instant) -%}
    {{ return(adapter.dispatch('epoch_s')(instant)) }}
{%- endmacro %}

{% macro duckdb__epoch_s(instant) -%}
    epoch({{ instant }})
{%- endmacro %}

{% macro spark__epoch_s(instant) -%}
    (unix_micros({{ instant }}) / 1e6)
{%- endmacro %}

{# The calendar day that clocks in `zone` (a column or a quoted IANA name) show at `instant`. #}
{% macro local_date(instant, zone) -%}
    {{ return(adapter.dispatch('local_date')(instant, zone)) }}
{%- endmacro %}

{% macro duckdb__local_date(instant, zone) -%}
    cast(timezone({{ zone }}, {{ instant }}) as date)
{%- endmacro %}

{% macro spark__local_date(instant, zone) -%}
    cast(from_utc_timestamp({{ instant }}, {{ zone }}) as date)
{%- endmacro %}

{# The first instant of a local day: where clocks show midnight twice it is the first one (an hour after 23:00 the
   day before; DuckDB takes the later), where they show none it is the instant at which they jump over it. #}
{% macro local_midnight(day, zone) -%}
    {{ return(adapter.dispatch('local_midnight')(day, zone)) }}
{%- endmacro %}

{% macro duckdb__local_midnight(day, zone) -%}
    least(
        timezone({{ zone }}, cast({{ day }} as timestamp)),
        timezone({{ zone }}, cast({{ day }} as timestamp) - interval 1 hour) + interval 1 hour
    )
{%- endmacro %}

{% macro spark__local_midnight(day, zone) -%}
    to_utc_timestamp(cast({{ day }} as timestamp), {{ zone }})
{%- endmacro %}

{# The day after a date. #}
{% macro next_day(day) -%}
    {{ return(adapter.dispatch('next_day')(day)) }}
{%- endmacro %}

{% macro duckdb__next_day(day) -%}
    ({{ day }} + 1)
{%- endmacro %}

{% macro spark__next_day(day) -%}
    date_add({{ day }}, 1)
{%- endmacro %}

{# The instant at which the local day of `instant` begins. #}
{% macro start_of_local_day(instant, zone) -%}
    {{ local_midnight(local_date(instant, zone), zone) }}
{%- endmacro %}

{# Seconds of a local day: 23, 24 or 25 hours. #}
{% macro day_length_s(day, zone) -%}
    ({{ epoch_s(local_midnight(next_day(day), zone)) }} - {{ epoch_s(local_midnight(day, zone)) }})
{%- endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(first, last) -%}
    {{ return(adapter.dispatch('days_between')(first, last)) }}
{%- endmacro %}

{% macro duckdb__days_between(first, last) -%}
    date_diff('day', {{ first }}, {{ last }})
{%- endmacro %}

{% macro spark__days_between(first, last) -%}
    datediff({{ last }}, {{ first }})
{%- endmacro %}

{# The same day of the next month, for the first of a month. #}
{% macro add_month(day) -%}
    {{ return(adapter.dispatch('add_month')(day)) }}
{%- endmacro %}

{% macro duckdb__add_month(day) -%}
    cast({{ day }} + interval 1 month as date)
{%- endmacro %}

{% macro spark__add_month(day) -%}
    add_months({{ day }}, 1)
{%- endmacro %}

{# The instant this run is computed for: the sources' now. #}
{% macro as_of() -%}
    {%- if var('event_path') -%}
        {#- What the worker runs is compiled once; the instant is that of its batch. -#}
        (select as_of from {{ changes_table('batch') }})
    {%- elif var('as_of') -%}
        {{ instant("'" ~ var('as_of') ~ "'") }}
    {%- else -%}
        current_timestamp
    {%- endif -%}
{%- endmacro %}

{# Since when invoices are Waybill's; NULL when every shipment is. #}
{% macro go_live_at() -%}
    {%- if var('go_live_at') -%}
        {{ instant("'" ~ var('go_live_at') ~ "'") }}
    {%- else -%}
        {{ instant('null') }}
    {%- endif -%}
{%- endmacro %}

{# The worst of several time qualities, as its name. #}
{% macro worst_time_quality(rank) -%}
    case {{ rank }} when 3 then 'gap' when 2 then 'ambiguous' when 1 then 'assumed_zone' else 'exact' end
{%- endmacro %}

{% macro time_quality_rank(quality) -%}
    case {{ quality }} when 'gap' then 3 when 'ambiguous' then 2 when 'assumed_zone' then 1 else 0 end
{%- endmacro %}
