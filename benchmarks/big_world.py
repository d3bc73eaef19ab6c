"""A year of a large carrier as raw tables, written by DuckDB itself: what the build is measured on.

One row per shipment holds everything that the raw tables say of it; each raw table is one query over those rows.
Regular on purpose: a lorry leaves its depot at six, serves the same twenty places in ten hours, and reports every
90 seconds. One shipment in twenty is late, one in ten is billed by hand, one in fifty has an exception.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from core.ids import surrogate_uuid
from tests.support.warehouse import LOAD_ID, create_raw_tables

STOPS = 20
"""Places that a lorry serves in a day, and positions that it reports for each."""
DAYS = 365
FIRST_DAY = "2022-11-03"
_FIRST_LOAD, _NEXT_LOAD = LOAD_ID, "1700400000.0"

_ENVELOPE = """
    'v1' AS contract_version, 'run_fill' AS run_id, 'trace' AS trace_id, '0' AS row_hash,
    to_timestamp({load}) AS source_version, source_version AS ingested_at, '{load}' AS _dlt_load_id, '{table}|' || source_id AS _dlt_id
"""

_SHIPMENTS = """
    CREATE OR REPLACE TEMP TABLE shipments AS
    WITH numbered AS (
        SELECT nr, nr // {per_day} AS day_nr, nr % {per_day} // {stops} AS lorry, nr % {stops} AS stop
        FROM range({first}, {last}) AS numbers (nr)
    ), timed AS (
        SELECT *, nr // {stops} AS trip_nr, lorry * {stops} + stop AS place,
            TIMESTAMPTZ '{first_day} 06:00:00+00' + day_nr * INTERVAL 1 DAY AS departed_at
        FROM numbered
    )
    SELECT
        *, 'O' || nr AS order_no, 'S' || nr AS shipment_no, 'P' || nr AS pod_no, 'I' || nr AS invoice_no,
        'T' || trip_nr AS trip_id, 'T' || trip_nr || '-' || stop AS stop_id, 'V' || lorry AS vehicle_id,
        'D' || lorry AS device_id, 'L' || place AS location_id, 'C' || place % {customers} AS customer_id,
        'DEPOT' || lorry % 10 AS depot_id,
        departed_at + (stop + 1) * INTERVAL 28 MINUTE AS arrived_at,
        departed_at + (stop + 1) * INTERVAL 28 MINUTE + INTERVAL 12 MINUTE AS delivered_at,
        nr % 20 = 7 AS is_late, nr % 10 = 3 AS is_by_hand, nr % 50 = 11 AS has_case,
        CAST(100 + nr % 400 AS DECIMAL(18, 4)) AS net_amount,
        CAST((100 + nr % 400) * 0.19 AS DECIMAL(18, 2)) AS tax_amount,
        53 + (lorry % 40) * 0.2 + stop * 0.008 AS latitude, 7 + (lorry // 40) * 0.3 + stop * 0.01 AS longitude
    FROM timed
"""

_MASTERS = {
    "raw_erp.companies": """SELECT 'erp' AS source_system, 'WB' AS source_id, 'WB' AS company_id, 'Waybill' AS name,
        'EUR' AS currency, 'Europe/Berlin' AS time_zone""",
    "raw_erp.customers": """SELECT 'erp' AS source_system, 'C' || nr AS source_id, 'C' || nr AS customer_id,
        'Customer ' || nr AS name, true AS is_active, false AS is_on_billing_hold, false AS is_self_billed,
        false AS requires_po, true AS requires_signature, false AS requires_photo, true AS allows_partial,
        'North' AS region, '30 days' AS payment_terms, 'Am Kai 1' AS bill_to_address
        FROM range({customers}) AS numbers (nr)""",
    "raw_erp.items": """SELECT 'erp' AS source_system, 'X' || nr AS source_id, 'X' || nr AS item_id,
        'Item ' || nr AS name, 'EA' AS uom, '8400' AS income_account, 2 AS weight_kg
        FROM range(200) AS numbers (nr)""",
    "raw_erp.tax_codes": """SELECT 'erp' AS source_system, 'DE19' AS source_id, 'DE19' AS tax_code,
        19 AS rate_percent""",
    "raw_dispatch.locations": """SELECT 'dispatch' AS source_system, location_id AS source_id, location_id,
        location_id AS name, 'customer' AS kind, 'Europe/Berlin' AS time_zone, latitude, longitude,
        'North' AS region FROM (SELECT DISTINCT location_id, latitude, longitude FROM shipments)
        UNION ALL SELECT 'dispatch', depot_id, depot_id, depot_id, 'depot', 'Europe/Berlin', 50, 20, 'South'
        FROM (SELECT DISTINCT depot_id FROM shipments)""",
    "raw_dispatch.vehicles": """SELECT 'dispatch' AS source_system, vehicle_id AS source_id, vehicle_id, device_id,
        5000 AS capacity_kg FROM (SELECT DISTINCT vehicle_id, device_id FROM shipments)""",
    "raw_carrier.carriers": """SELECT 'carrier' AS source_system, 'K' || nr AS source_id, 'K' || nr AS carrier_id,
        'Carrier ' || nr AS name, true AS is_active FROM range(5) AS numbers (nr)""",
    "raw_ledger.connections": """SELECT connection, connection AS kind, 'files' AS adapter, 'it' AS owner,
        'high' AS criticality, 'production' AS lifecycle, 86400 AS freshness_s, connection = 'erp' AS is_destination,
        TIMESTAMPTZ '{first_day} 00:00:00+00' AS requested_at, connection AS source_id
        FROM (SELECT unnest(['erp', 'dispatch', 'telematics', 'pod', 'tms']) AS connection)""",
}

_TABLES = {
    "raw_erp.orders": """SELECT 'erp' AS source_system, order_no AS source_id, order_no AS order_id, customer_id,
        'EUR' AS currency, 'confirmed' AS status, departed_at - INTERVAL 2 DAY AS ordered_at, 'WB' AS company_id,
        depot_id, 'Europe/Berlin' AS time_zone, 'PO' || nr AS po_no, departed_at - INTERVAL 47 HOUR AS confirmed_at,
        departed_at - INTERVAL 46 HOUR AS credit_ok_at, arrived_at - INTERVAL 1 HOUR AS promised_from_at,
        delivered_at + CASE WHEN is_late THEN -1 ELSE 2 END * INTERVAL 1 HOUR AS first_promised_at,
        first_promised_at AS last_promised_at, 'timestamp' AS promise_precision, 'exact' AS time_quality,
        net_amount AS net_total_amount, tax_amount AS tax_total_amount,
        net_amount + tax_amount AS grand_total_amount FROM shipments""",
    "raw_erp.order_lines": """SELECT 'erp' AS source_system, order_no || '-' || line AS source_id,
        source_id AS order_line_id, order_no AS order_id, line AS line_no, 'X' || (nr + line) % 200 AS item_id,
        10 AS quantity, 'EA' AS uom, net_amount / 20 AS unit_price_amount, net_amount / 2 AS net_amount,
        'DE19' AS tax_code, 19 AS tax_rate_percent, false AS is_return
        FROM shipments CROSS JOIN (SELECT unnest([1, 2]) AS line)""",
    "raw_erp.delivery_notes": """SELECT 'erp' AS source_system, 'N' || nr AS source_id, 'N' || nr AS delivery_note_id,
        order_no AS order_id, shipment_no AS shipment_id, 'submitted' AS status,
        departed_at - INTERVAL 40 HOUR AS allocated_at FROM shipments""",
    "raw_erp.invoices": """SELECT 'erp' AS source_system, invoice_no AS source_id, invoice_no AS invoice_id,
        customer_id, 'EUR' AS currency, 'posted' AS status, 'WB' AS company_id, order_no AS order_id,
        shipment_no AS shipment_id, 'PO' || nr AS po_no, false AS is_credit_note,
        CASE WHEN NOT is_by_hand THEN 'key' || nr END AS idempotency_key, delivered_at + INTERVAL 1 HOUR AS created_at,
        delivered_at + INTERVAL 1 HOUR AS posted_at, CAST(delivered_at AS DATE) AS issue_date,
        net_amount AS net_total_amount, tax_amount AS tax_total_amount,
        net_amount + tax_amount AS grand_total_amount FROM shipments""",
    "raw_erp.invoice_lines": """SELECT 'erp' AS source_system, invoice_no || '-' || line AS source_id,
        source_id AS invoice_line_id, invoice_no AS invoice_id, order_no || '-' || line AS order_line_id,
        'X' || (nr + line) % 200 AS item_id, 10 AS quantity, 'EA' AS uom, net_amount / 20 AS unit_price_amount,
        net_amount / 2 AS net_amount, 'DE19' AS tax_code, 19 AS tax_rate_percent
        FROM shipments CROSS JOIN (SELECT unnest([1, 2]) AS line)""",
    "raw_dispatch.trips": """SELECT 'dispatch' AS source_system, trip_id AS source_id, trip_id, 'completed' AS status,
        vehicle_id, 1 AS driver_count, depot_id FROM shipments WHERE stop = 0""",
    "raw_dispatch.consignments": """SELECT 'dispatch' AS source_system, shipment_no AS source_id,
        shipment_no AS consignment_id, order_no AS order_id, 'completed' AS status, depot_id,
        location_id AS delivery_location_id, 'K' || nr % 5 AS carrier_id FROM shipments""",
    "raw_dispatch.consignment_lines": """SELECT 'dispatch' AS source_system, shipment_no || '-' || line AS source_id,
        source_id AS consignment_line_id, shipment_no AS consignment_id, order_no || '-' || line AS order_line_id,
        'X' || (nr + line) % 200 AS item_id, 10 AS quantity, 'EA' AS uom, 20 AS weight_kg
        FROM shipments CROSS JOIN (SELECT unnest([1, 2]) AS line)""",
    "raw_dispatch.actions": """SELECT 'dispatch' AS source_system, shipment_no || '-' || action_type AS source_id,
        source_id AS action_id, action_type, 'realized' AS lifecycle, 'succeeded' AS result_status, trip_id,
        shipment_no AS consignment_id, CASE WHEN action_type <> 'load' THEN stop_id END AS stop_id,
        CASE WHEN action_type = 'load' THEN depot_id ELSE location_id END AS location_id, stop AS sequence_nr,
        CASE WHEN action_type = 'load' THEN departed_at - INTERVAL 10 MINUTE ELSE arrived_at END AS start_at,
        CASE WHEN action_type = 'load' THEN departed_at ELSE delivered_at END AS end_at,
        CASE WHEN action_type = 'stop' THEN arrived_at - INTERVAL 5 MINUTE END AS planned_start_at,
        CASE WHEN action_type = 'stop' THEN 600 END AS free_time_s, 'exact' AS time_quality, false AS has_second_driver
        FROM shipments CROSS JOIN (SELECT unnest(['load', 'stop', 'handOver']) AS action_type)""",
    "raw_pod.proofs": """SELECT 'pod' AS source_system, pod_no AS source_id, pod_no AS pod_id,
        shipment_no AS consignment_id, order_no AS order_id, 'succeeded' AS outcome, delivered_at AS captured_at,
        delivered_at + INTERVAL 3 MINUTE AS received_at, 'signed' AS signer, latitude, longitude,
        false AS has_damage, true AS has_line_quantities, 'exact' AS time_quality FROM shipments""",
    "raw_pod.delivered_lines": """SELECT 'pod' AS source_system, pod_no || '-' || line AS source_id,
        source_id AS pod_line_id, pod_no AS pod_id, order_no || '-' || line AS order_line_id,
        'X' || (nr + line) % 200 AS item_id, 10 AS quantity, 'EA' AS uom
        FROM shipments CROSS JOIN (SELECT unnest([1, 2]) AS line)""",
    "raw_pod.evidence": """SELECT 'pod' AS source_system, pod_no || '-s' AS source_id, source_id AS evidence_id,
        pod_no AS pod_id, 'signature' AS kind, 'sealed' AS status, 'ab' AS sha256,
        delivered_at + INTERVAL 4 MINUTE AS fetched_at FROM shipments""",
    "raw_tms.eta_predictions": """SELECT 'tms' AS source_system, 'E' || nr AS source_id, 'E' || nr AS eta_id, stop_id,
        trip_id, shipment_no AS consignment_id, 'tms' AS issuer, arrived_at - INTERVAL 150 MINUTE AS issued_at,
        arrived_at + nr % 60 * INTERVAL 1 MINUTE AS eta_at FROM shipments""",
    "raw_crm.exception_events": """SELECT 'crm' AS source_system, 'E' || nr || change AS source_id,
        source_id AS event_id, 'E' || nr AS exception_id, change,
        delivered_at + CASE WHEN change = 'resolved' THEN 5 ELSE 1 END * INTERVAL 1 HOUR AS occurred_at,
        occurred_at AS detected_at, 'DOCUMENTS' AS code, 'medium' AS severity, 'data' AS cause_class,
        shipment_no AS consignment_id, false AS is_customer_pause
        FROM shipments CROSS JOIN (SELECT unnest(['opened', 'resolved']) AS change) WHERE has_case""",
    # Ten fixes on the way to a place, ten at it.
    "raw_telematics.positions": """SELECT 'telematics' AS source_system, device_id,
        arrived_at + (fix - 10) * INTERVAL 84 SECOND AS positioned_at, device_id || '|' || positioned_at AS source_id,
        positioned_at + INTERVAL 5 SECOND AS received_at,
        latitude - greatest(10 - fix, 0) * 0.0008 AS latitude, longitude - greatest(10 - fix, 0) * 0.001 AS longitude,
        fix < 10 AS ignition, 'ok' AS quality
        FROM shipments CROSS JOIN range({stops}) AS fixes (fix)""",
    "raw_gate.decisions": """SELECT nr + 1 AS sequence, 'dec' || nr AS decision_id, dec.business_id, 1 AS revision, 'invoice' AS operation,
        'WB' AS company_id, order_no, shipment_no, customer_id, 'released' AS verdict, '[]' AS codes, '[]' AS warnings,
        '[]' AS reasons, '0' AS input_hash, '0' AS content_hash, 'rules' AS ruleset_version, 'policy' AS policy_version,
        delivered_at + INTERVAL 30 MINUTE AS decided_at, decided_at AS as_of, net_amount + tax_amount AS amount,
        'EUR' AS currency, true AS is_first_evaluation, decision_id AS source_id FROM billed AS dec""",
    "raw_ledger.outbox": """SELECT nr + 1 AS outbox_id, 'key' || nr AS idempotency_key, business_id, 1 AS revision,
        shipment_no, 'dec' || nr AS decision_id, 'WB' AS company, 'erp' AS destination, 'invoice' AS operation,
        '0' AS payload_hash, '0' AS content_hash, '0' AS input_hash, net_amount + tax_amount AS amount,
        'EUR' AS currency, 'ACKED' AS state, 1 AS fencing_token, 1 AS attempt_count, false AS may_exist,
        delivered_at + INTERVAL 31 MINUTE AS enqueued_at, delivered_at + INTERVAL 1 HOUR AS updated_at,
        idempotency_key AS source_id FROM billed""",
    "raw_ledger.push_attempts": """SELECT nr + 1 AS attempt_id, 'key' || nr AS idempotency_key, 1 AS attempt_no,
        'posted' AS detail, 'ACKED' AS outcome, 200 AS http_status, invoice_no AS erp_id, 1 AS fencing_token,
        'push' AS worker, delivered_at + INTERVAL 59 MINUTE AS started_at, delivered_at + INTERVAL 1 HOUR AS ended_at,
        idempotency_key AS source_id FROM billed""",
    "raw_ledger.receipts": """SELECT 'key' || nr AS idempotency_key, 'erp' AS destination, 'WB' AS company, business_id,
        1 AS revision, shipment_no, invoice_no AS erp_id, customer_id, order_no, 'EUR' AS currency,
        net_amount AS net_total_amount, tax_amount AS tax_total_amount, net_amount + tax_amount AS grand_total_amount,
        CAST(CAST(delivered_at AS DATE) AS VARCHAR) AS issue_date, delivered_at + INTERVAL 1 HOUR AS posted_at,
        delivered_at + INTERVAL 1 HOUR AS read_back_at, idempotency_key AS source_id FROM billed""",
}


def per_day(shipments: int) -> int:
    """Shipments of one day: whole tours of ``STOPS``."""
    return max(STOPS, shipments // DAYS // STOPS * STOPS)


def as_of(shipments: int, more: int = 0) -> str:
    """The instant after the last day on which a shipment of the first ``shipments + more`` was delivered."""
    days = -(-(shipments + more) // per_day(shipments)) + 1
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT DATE '{FIRST_DAY}' + {days}").fetchone()
    return f"{row[0] if row else FIRST_DAY}T04:00:00+00:00"


def fill(path: Path, shipments: int) -> None:
    """Create the raw tables with a year of ``shipments`` in them."""
    create_raw_tables(path)
    _write(path, shipments, 0, shipments, _FIRST_LOAD, {**_MASTERS, **_TABLES})


def add(path: Path, shipments: int, more: int) -> None:
    """What comes in after that year: ``more`` shipments, delivered on the days that follow."""
    _write(path, shipments, shipments, shipments + more, _NEXT_LOAD, _TABLES)
    with duckdb.connect(str(path)) as connection:
        for (schema,) in connection.execute(
            "SELECT schema_name FROM duckdb_tables() WHERE table_name = '_dlt_loads'"
        ).fetchall():
            connection.execute(
                f"INSERT INTO {schema}._dlt_loads (load_id, status) VALUES ('{_NEXT_LOAD}', 0)"
            )


def _write(path: Path, shipments: int, first: int, last: int, load: str, tables: dict[str, str]) -> None:
    sizes = {
        "per_day": per_day(shipments), "stops": STOPS, "first": first, "last": last, "first_day": FIRST_DAY,
        "customers": max(50, shipments // 500),
    }  # fmt: skip
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
        connection.create_function("uuid_of", surrogate_uuid)
        connection.execute(_SHIPMENTS.format(**sizes))
        connection.execute(
            "CREATE TEMP TABLE billed AS SELECT *, uuid_of('dispatch', shipment_no) AS business_id "
            "FROM shipments WHERE NOT is_by_hand"
        )
        for table, rows in tables.items():
            _insert(connection, table, rows.format(**sizes), load)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: str, load: str) -> None:
    there = {
        name for (name,) in connection.execute(
            f"SELECT column_name FROM duckdb_columns() WHERE schema_name || '.' || table_name = '{table}'"
        ).fetchall()
    }  # fmt: skip
    made = f"SELECT *, {_ENVELOPE.format(load=load, table=table)} FROM ({rows})"
    columns = [row[0] for row in connection.execute(f"DESCRIBE {made}").fetchall() if row[0] in there]
    connection.execute(
        f"INSERT INTO {table} BY NAME SELECT {', '.join(dict.fromkeys(columns))} FROM ({made})"
    )
