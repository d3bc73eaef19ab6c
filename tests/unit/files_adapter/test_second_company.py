"""Another company's extract needs a YAML and nothing else: semicolons and comma decimals from its ERP,
Parquet from its dispatch, JSON lines from its delivery app."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.connections import load_connections
from ingestion.files.extract import Extract

ORDERS = """\
Auftrag;Kunde;Stadt;Angelegt;Bestätigt;Zusage;Netto;Status
0001;K-7;München;02.03.2026 08:15;02.03.2026 09:00;04.03.2026;1.234,50;freigegeben
0002;K-8;Köln;28.03.2026 23:59;29.03.2026 02:30;31.03.2026;10,00;freigegeben
0003;K-7;München;25.10.2026 01:10;25.10.2026 02:30;27.10.2026;1234.50;storniert
0004;K-9;Bonn;05.03.2026 08:00;;06.03.2026;99,90;rätselhaft
"""
LINES = """\
Auftrag;Pos;Artikel;Menge;Preis
0001;1;000815;2,5;400,00
0001;2;000816;1;234,50
0002;1;000815;1;10,00
"""
ERP = """\
connection: spedi_erp
kind: erp
adapter: files
owner: order-systems
time_zone: Europe/Berlin
options:
  folder: {folder}
  decimal: ","
  thousands: "."
  formats: ["%d.%m.%Y %H:%M", "%d.%m.%Y"]
  tables:
    orders: {{files: "auftraege*.csv", delimiter: ";", encoding: cp1252}}
    lines: {{files: positionen.csv, delimiter: ";"}}
  resources:
    - resource: customers
      table: orders
      fields: {{customer_id: Kunde, name: Kunde, region: Stadt}}
    - resource: orders
      table: orders
      fields:
        order_id: Auftrag
        customer_id: Kunde
        currency: {{constant: EUR}}
        status: {{column: Status, map: {{freigegeben: confirmed, storniert: cancelled}}}}
        ordered_at: Angelegt
        confirmed_at: Bestätigt
        first_promised_at: {{column: Zusage, day: true}}
        promise_precision: {{constant: date}}
        net_total_amount: Netto
    - resource: order_lines
      table: lines
      fields:
        order_line_id: {{template: "{{Auftrag}}/{{Pos}}"}}
        order_id: Auftrag
        line_no: Pos
        item_id: Artikel
        quantity: Menge
        uom: {{constant: pcs}}
        unit_price_amount: Preis
        net_amount: Preis
"""
DISPATCH = """\
connection: spedi_dispatch
kind: dispatch
adapter: files
owner: fleet-systems
options:
  folder: {folder}
  tables: {{tours: {{files: tours.parquet}}}}
  resources:
    - resource: consignments
      table: tours
      fields:
        consignment_id: {{column: load, from_number: true}}
        order_id: order
        status: {{column: state, map: {{"1": inTransit, "2": completed}}}}
        time_zone: zone
    - resource: actions
      table: tours
      where: [{{column: left, present: true}}]
      fields:
        action_id: {{template: "{{load}}-load"}}
        action_type: {{constant: load}}
        lifecycle: {{constant: realized}}
        result_status: {{constant: succeeded}}
        consignment_id: {{column: load, from_number: true}}
        end_at: {{column: left, time_zone_column: zone}}
"""
PODS = """\
connection: spedi_pod
kind: pod
adapter: files
owner: delivery-systems
options:
  folder: {folder}
  formats: epoch_ms
  tables: {{drops: {{files: "drops/*.jsonl"}}}}
  resources:
    - resource: proofs
      table: drops
      fields:
        pod_id: id
        consignment_id: {{column: load, from_number: true}}
        outcome: {{column: result.code, map: {{OK: succeeded, PART: partiallySucceeded, NOK: failed}}}}
        captured_at: result.time
        received_at: sent
        latitude: result.place.lat
        longitude: result.place.lon
        has_line_quantities: {{constant: true}}
    - resource: delivered_lines
      table: drops
      each: goods
      fields:
        pod_line_id: {{template: "{{id}}/{{goods.pos}}"}}
        pod_id: id
        order_line_id: {{template: "{{order}}/{{goods.pos}}"}}
        item_id: goods.article
        quantity: goods.quantity
        uom: {{constant: pcs}}
"""
DROP: dict[str, Any] = {
    "id": "d-1",
    "load": 501,
    "order": "0001",
    "sent": 1_772_611_200_000,
    "result": {"code": "PART", "time": 1_772_607_600_000, "place": {"lat": 48.1, "lon": 11.5}},
    "goods": [{"pos": 1, "article": "000815", "quantity": 2.5}],
}

Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def extract(tmp_path: Path) -> tuple[Rows, list[tuple[str, str]]]:
    """What the border accepts of each resource, and every fault."""
    folder = tmp_path / "extract"
    (folder / "drops").mkdir(parents=True)
    (folder / "auftraege_2026.csv").write_text(ORDERS, encoding="cp1252")
    (folder / "positionen.csv").write_text(LINES, encoding="utf-8")
    (folder / "drops" / "1.jsonl").write_text(json.dumps(DROP) + "\n" + '{"id": "d-2"\n', encoding="utf-8")
    pl.DataFrame(
        {
            "load": [501, 502],
            "order": ["0001", "0002"],
            "state": [2, 1],
            "zone": ["Europe/Berlin", "Asia/Tokyo"],
            "left": [datetime(2026, 3, 3, 6, 0), datetime(2026, 3, 30, 6, 0)],
        }
    ).write_parquet(folder / "tours.parquet")
    connections = tmp_path / "connections"
    connections.mkdir()
    for name, text in {"erp": ERP, "dispatch": DISPATCH, "pod": PODS}.items():
        (connections / f"{name}.yaml").write_text(text.format(folder=folder), encoding="utf-8")
    return read(connections)


def read(connections: Path) -> tuple[Rows, list[tuple[str, str]]]:
    rows: Rows = {}
    faults = []
    for connection in load_connections(connections):
        source = Extract(connection)
        for resource in source.resources():
            accepted = rows.setdefault(resource.name, [])
            for row in source.rows(resource):
                if row.fault:
                    faults.append(row.fault)
                else:
                    accepted.append(resource.contract.model_validate(row.fields).model_dump())
    return rows, faults


def test_german_numbers_and_dates(extract: tuple[Rows, list[tuple[str, str]]]) -> None:
    rows, _ = extract
    [order] = rows["orders"]
    assert order["order_id"] == "0001"
    assert order["net_total_amount"] == Decimal("1234.50")
    assert order["ordered_at"] == datetime(2026, 3, 2, 7, 15, tzinfo=UTC)
    assert order["first_promised_at"] == datetime(2026, 3, 3, 23, tzinfo=UTC)
    assert [each["quantity"] for each in rows["order_lines"]] == [Decimal("2.5"), Decimal(1), Decimal(1)]
    assert [each["item_id"] for each in rows["order_lines"]] == ["000815", "000816", "000815"]
    assert rows["customers"][0]["region"] == "München"


def test_what_does_not_fit_is_refused_with_its_reason(extract: tuple[Rows, list[tuple[str, str]]]) -> None:
    _, faults = extract
    assert sorted(reason for reason, _ in faults) == [
        "AMOUNT_INVALID",  # 1234.50 is not how this company writes numbers
        "FIELD_INVALID",  # the cut-off line of JSON, once for each resource that needs it
        "FIELD_INVALID",
        "STATUS_UNKNOWN",  # rätselhaft
        "TIME_GAP",  # 02:30 in the night the clocks went forward
    ]


def test_parquet_times_take_the_zone_of_their_row(extract: tuple[Rows, list[tuple[str, str]]]) -> None:
    rows, _ = extract
    assert [each["consignment_id"] for each in rows["consignments"]] == ["501", "502"]
    assert [each["end_at"] for each in rows["actions"]] == [
        datetime(2026, 3, 3, 5, tzinfo=UTC),
        datetime(2026, 3, 29, 21, tzinfo=UTC),
    ]


def test_json_lines_give_proofs_and_their_lines(extract: tuple[Rows, list[tuple[str, str]]]) -> None:
    rows, _ = extract
    [proof] = rows["proofs"]
    assert proof["outcome"] == "partiallySucceeded"
    assert proof["captured_at"] == datetime(2026, 3, 4, 7, tzinfo=UTC)
    assert proof["time_quality"] == "exact"
    assert (proof["latitude"], proof["longitude"]) == (48.1, 11.5)
    [line] = rows["delivered_lines"]
    assert (line["order_line_id"], line["quantity"]) == ("0001/1", Decimal("2.5"))
