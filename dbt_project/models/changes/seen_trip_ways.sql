{{ waits_for('ledger_seen') }}
select trip_key, points_number
from {{ ref('int_trip_ways') }}
