"""Other companies' real files by YAML alone: the published figures, computed from what the border accepts."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.connections import load_connections
from ingestion.files.extract import Extract

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data is not at ../shared/data: nothing to compare with"
)

FREIGHT = """\
connection: scms_freight
kind: carrier
adapter: files
owner: freight-systems
time_zone: UTC
options:
  folder: {data}/scms
  formats: "%d-%b-%y"
  tables: {{lines: {{files: "*.csv"}}}}
  resources:
    - resource: freight_charges
      table: lines
      where:
        - {{column: freight cost (usd), matches: "^[0-9.,]+$"}}
      fields:
        freight_charge_id: id
        amount: freight cost (usd)
        currency: {{constant: USD}}
        charged_at: delivered to client date
        order_id: "po / so #"
        consignment_id: "asn/dn #"
"""
ORDERS = """\
connection: scms_orders
kind: erp
adapter: files
owner: order-systems
time_zone: UTC
options:
  folder: {data}/scms
  nulls: ["", Date Not Captured, N/A - From RDC, Pre-PQ Process]
  formats: ["%d-%b-%y", "%m/%d/%y", "%m/%d/%Y"]
  tables: {{lines: {{files: "*.csv"}}}}
  resources:
    - resource: orders
      table: lines
      fields:
        order_id: id
        customer_id: country
        currency: {{constant: USD}}
        status: {{constant: confirmed}}
        ordered_at: {{first_of: [po sent to vendor date, pq first sent to client date, scheduled delivery date]}}
        first_promised_at: {{column: scheduled delivery date, day: true}}
        requested_delivery_at: delivered to client date
        promise_precision: {{constant: date}}
"""
TRUCK = """\
connection: truck
kind: telematics
adapter: files
owner: fleet-systems
options:
  folder: {data}/gps_fleet_tajo
  formats: "%Y-%m-%dT%H:%M:%S.%f%z"
  tables: {{events: {{files: "*.jsonl"}}}}
  resources:
    - resource: positions
      table: events
      where:
        - {{column: ev.pos.latlon.lat, present: true}}
      fields:
        device_id: ev.vehicleId
        positioned_at: ev.ts
        received_at: {{first_of: [ev.receivedTs, ev.ts]}}
        latitude: ev.pos.latlon.lat
        longitude: ev.pos.latlon.lng
        speed_kmh: ev.pos.speed
"""


def read(tmp_path: Path, text: str) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    (tmp_path / "one.yaml").write_text(text.format(data=DATA), encoding="utf-8")
    [connection] = load_connections(tmp_path)
    extract = Extract(connection)
    [resource] = extract.resources()
    rows = list(extract.rows(resource))
    accepted = [resource.contract.model_validate(row.fields).model_dump() for row in rows if not row.fault]
    return accepted, [row.fault for row in rows if row.fault]


def test_scms_freight_is_summed_without_the_references(tmp_path: Path) -> None:
    """ "See ASN-93" and "Freight Included in Commodity Cost" stand among the numbers."""
    charges, faults = read(tmp_path, FREIGHT)
    assert faults == []
    assert len(charges) == 3306
    assert sum(each["amount"] for each in charges) == Decimal("29518136.52")


def test_scms_lines_are_on_time_as_published(tmp_path: Path) -> None:
    lines, faults = read(tmp_path, ORDERS)
    assert faults == []
    held = [each for each in lines if each["requested_delivery_at"] <= each["first_promised_at"]]
    assert (len(held), len(lines)) == (4766, 5261)


def test_the_trucks_late_events_are_counted_as_published(tmp_path: Path) -> None:
    positions, faults = read(tmp_path, TRUCK)
    assert faults == []
    late = [each for each in positions if each["received_at"] - each["positioned_at"] > timedelta(seconds=60)]
    assert len(late) == 200
    assert {type(each["positioned_at"]) for each in positions} == {datetime}
