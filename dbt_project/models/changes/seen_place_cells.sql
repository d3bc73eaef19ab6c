{{ waits_for('ledger_seen') }}
select location_key, source_system, location_id, kind, latitude, longitude, cell_row, cell_column
from {{ ref('int_place_cells') }}
