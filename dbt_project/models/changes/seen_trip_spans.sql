{{ waits_for('ledger_seen') }}
select trip_key, vehicle_id, departed_at, ended_at, loaded_until_at
from {{ ref('int_trip_spans') }}
