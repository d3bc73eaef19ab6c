{{ waits_for('ledger_seen') }}
select trip_key, route_id, sequence_nr, tie, from_latitude, from_longitude, east_km, north_km, allowed_km
from {{ ref('int_route_legs') }}
