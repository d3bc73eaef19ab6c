-- depends_on: {{ ref('ledger_seen') }}
select device_id, time_zone
from {{ ref('int_device_zones') }}
