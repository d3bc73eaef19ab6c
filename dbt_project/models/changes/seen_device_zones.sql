{{ waits_for('ledger_seen') }}
select device_id, vehicle_connection, vehicle_id, time_zone
from {{ ref('int_device_zones') }}
