{{ waits_for('ledger_seen') }}
select {{ vehicle_day_columns() }}
from {{ ref('fct_vehicle_days') }}
