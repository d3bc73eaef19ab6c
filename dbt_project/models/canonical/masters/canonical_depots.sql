with locations as (
    select * from {{ ref('canonical_locations') }}
    where kind = 'depot'
)

select
    location_key as depot_key,
    location_id as depot_id,
    name,
    time_zone,
    region,
    gln,
    un_code,
    latitude,
    longitude,
    source_system,
    source_id,
    source_version,
    ingested_at,
    run_id,
    contract_version
from locations
