{{ waits_for('ledger_seen') }}
select location_key, latitude, longitude, cell_row, cell_column
from {{ ref('int_place_cells') }}
