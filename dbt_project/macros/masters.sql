{# Master data: golden records, and whose word counts for what. #}

{# The kinds of master data, with the canonical model, its id, and what tells the same thing in another system
   (none: nothing does but a person, in the seed entity_cross_reference). #}
{% macro master_entities() -%}
    {{ return({
        'company': ('canonical_companies', 'company_id', 'vat_id'),
        'customer': ('canonical_customers', 'customer_id', 'vat_id'),
        'cost_centre': ('canonical_cost_centres', 'cost_centre_id', none),
        'carrier': ('canonical_carriers', 'carrier_id', none),
        'depot': ('canonical_depots', 'depot_id', 'gln'),
        'location': ('canonical_locations', 'location_id', 'gln'),
        'vehicle': ('canonical_vehicles', 'vehicle_id', 'license_plate'),
        'driver': ('canonical_drivers', 'driver_id', none),
    }) }}
{%- endmacro %}

{# Where one system names a thing by its id: (kind of thing, canonical model, column). #}
{% macro master_mentions() -%}
    {{ return([
        ('company', 'canonical_orders', 'company_id'),
        ('company', 'canonical_invoices', 'company_id'),
        ('customer', 'canonical_orders', 'customer_id'),
        ('customer', 'canonical_orders', 'bill_to_id'),
        ('customer', 'canonical_invoices', 'customer_id'),
        ('cost_centre', 'canonical_freight_charges', 'cost_centre_id'),
        ('carrier', 'canonical_freight_charges', 'carrier_id'),
        ('carrier', 'canonical_shipments', 'carrier_id'),
        ('depot', 'canonical_orders', 'depot_id'),
        ('depot', 'canonical_trips', 'depot_id'),
        ('location', 'canonical_stops', 'location_id'),
        ('location', 'canonical_delivery_events', 'location_id'),
        ('vehicle', 'canonical_trips', 'vehicle_id'),
        ('vehicle', 'canonical_maintenance_orders', 'vehicle_id'),
        ('driver', 'canonical_trips', 'driver_id'),
    ]) }}
{%- endmacro %}

{# All golden records of a kind: each attribute as the connection says it that the seed ownership_register makes
   its owner, else as the record says it by which the golden one is called. #}
{% macro golden_records(entity_type, attributes) -%}
    {%- set model, id, _ = master_entities()[entity_type] -%}
    with members as (
        select * from {{ ref('canonical_golden_members') }}
        where entity_type = '{{ entity_type }}'
    ),

    owners as (
        select
            {%- for attribute in attributes %}
            max(case when attribute = '{{ attribute }}' then connection end) as {{ attribute }}_owner
            {{- ',' if not loop.last }}
            {%- endfor %}
        from {{ ref('ownership_register') }}
        where entity_type = '{{ entity_type }}'
    )

    select
        members.golden_id,
        max(case when members.place = 1 then records.{{ id }} end) as {{ id }},
        {%- for attribute in attributes %}
        case
            when max(case when members.source_system = owners.{{ attribute }}_owner then 1 else 0 end) = 1
                then max(
                    case
                        when members.source_system = owners.{{ attribute }}_owner and members.place_in_system = 1
                            then records.{{ attribute }}
                    end
                )
            else max(case when members.place = 1 then records.{{ attribute }} end)
        end as {{ attribute }},
        {%- endfor %}
        cast(count(*) as bigint) as record_count,
        max(case when members.place = 1 then records.source_system end) as source_system
    from members
    inner join {{ ref(model) }} as records
        on members.source_system = records.source_system and members.source_id = records.{{ id }}
    cross join owners
    group by members.golden_id
{%- endmacro %}
