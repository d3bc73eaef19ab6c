"""Messages of the inbox become rows of the contracts, each counted once, whatever dies in between."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from dlt.pipeline.pipeline import Pipeline
from sqlalchemy import Engine

from contracts.examples import EXAMPLES
from core.connections import Connection
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.base import SourceFailure
from ingestion.events import run as events
from ingestion.events.mapping import Mapper
from ingestion.events.rests import Rests
from ingestion.events.understanding import understand
from ingestion.load import Loader
from state import dead_letters, inbox
from state.inbox import Incoming
from state.message_outcomes import outcome_of
from state.vault import path_of, seal

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
AT = "2026-11-13T16:00:00Z"
PARTNER = Connection(
    connection="partner", kind="pod", adapter="onfleet", owner="delivery-operations", as_of=NOW
)
LINE = {"pod_line_id": "P1-1", "item_id": "SOAP", "quantity": "12.5", "uom": "box"}
PROOF: dict[str, Any] = {
    "pod_id": "P1", "consignment_id": "C1", "outcome": "succeeded", "captured_at": AT, "changed_at": AT,
    "lines": [LINE],
}  # fmt: skip
ROUTE: dict[str, Any] = {
    "trip_id": "T1", "status": "confirmed", "changed_at": AT,
    "consignments": [{"consignment_id": "C1", "order_id": "SO1"}],
    "stops": [{"action_id": "A1", "action_type": "handOver", "sequence_nr": 1, "consignment_id": "C1"}],
}  # fmt: skip


def send(engine: Engine, kind: str, body: Mapping[str, Any] | bytes, event_id: str = "e1") -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = Incoming(
        "partner", event_id, "api", kind, "application/json", raw, f"trace_{event_id}", NOW, None
    )
    return inbox.accept(engine, [message])[0].message_id


def take_in(settings: Settings, engine: Engine, run_id: str = "run_1", most: int = 100) -> events.TakenIn:
    taken = events.take_in(settings, engine, understand(settings, engine, PARTNER, most, Rests()), run_id)
    events.settle(engine, run_id, taken)
    return taken


def rows(settings: Settings, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
    with open_warehouse(settings, "test") as warehouse:
        return warehouse.execute(f"SELECT {columns} FROM {table} ORDER BY source_id").fetchall()


def test_messages_have_a_pipeline_of_their_own(settings: Settings, engine: Engine) -> None:
    """A reading of the same connection may go on meanwhile: neither takes the other's load for its own."""
    send(engine, "proof_of_delivery", PROOF)
    take_in(settings, engine)
    assert [each.name for each in settings.dlt_dir.iterdir() if each.is_dir()] == ["inbox_partner_pod"]
    reading = Loader(settings, "partner", "pod")
    assert reading._pipeline.pipeline_name == "partner" and not reading._pipeline.has_pending_data


def test_a_load_that_changes_no_table_stays_in_the_log_and_is_read_back(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    """Where it made a table it does not: DuckDB may not read back a log that holds such a change after a hard exit."""
    log = settings.warehouse.with_name(f"{settings.warehouse.name}.wal")
    as_if_killed = Settings(home=tmp_path / "copy")
    as_if_killed.root.mkdir()
    with open_warehouse(settings, "test") as warehouse:
        send(engine, "proof_of_delivery", PROOF)
        take_in(settings, engine)
        assert not log.exists(), "the tables were made"
        warehouse.execute("PRAGMA disable_checkpoint_on_shutdown")
        send(engine, "proof_of_delivery", PROOF | {"pod_id": "P2"}, "e2")
        take_in(settings, engine)
        for each in (settings.warehouse, log):
            copy(each, as_if_killed.root)
    assert rows(as_if_killed, "raw_pod.proofs", "pod_id") == [("P1",), ("P2",)]


class _Killed(BaseException):
    """As if the process ended here."""


def test_a_load_that_a_crash_left_behind_and_that_makes_tables_does_not_stay_in_the_log(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = settings.warehouse.with_name(f"{settings.warehouse.name}.wal")

    def die(*_: object, **__: object) -> None:
        raise _Killed

    with open_warehouse(settings, "test"):
        with monkeypatch.context() as patch, pytest.raises(_Killed):
            patch.setattr(Pipeline, "load", die)
            send(engine, "proof_of_delivery", PROOF)
            take_in(settings, engine)
        left = Loader(settings, "partner", "pod", is_inbox=True)
        assert left._pipeline.has_pending_data
        left.cursors()
        assert not log.exists()
    assert rows(settings, "raw_pod.proofs", "pod_id") == [("P1",)]


def test_one_message_fills_every_table_that_it_speaks_of(settings: Settings, engine: Engine) -> None:
    message = send(engine, "route_assignment", ROUTE)
    taken = take_in(settings, engine)
    assert all(each.adds_up for each in taken.counts)
    assert rows(settings, "raw_dispatch.trips", "source_system, trip_id") == [("partner", "T1")]
    assert rows(settings, "raw_dispatch.actions", "trip_id, lifecycle") == [("T1", "planned")]
    assert rows(settings, "raw_dispatch.consignments", "order_id") == [("SO1",)]
    outcome = outcome_of(engine, "partner", message)
    assert outcome is not None and (outcome.status, outcome.rows["loaded"]) == ("loaded", 3)
    assert outcome.shipments == ("C1",)


@pytest.mark.parametrize(
    ("kind", "example", "changed", "table", "columns", "expected"),
    [
        ("order_release", "OrderRelease", {}, "raw_erp.orders", "order_id, grand_total_amount",
         [("SO-1001", Decimal("148.75"))]),
        ("order_release", "OrderRelease", {}, "raw_erp.order_lines", "order_id, order_line_id, net_amount",
         [("SO-1001", "SO-1001-1", Decimal("125.00"))]),
        ("freight_cost", "FreightCost", {}, "raw_carrier.freight_charges", "consignment_id, carrier_id, amount",
         [("SH-1001", "NORTH", Decimal("48.20"))]),
        *(
            ("exception", "ExceptionChange", {"change": change}, "raw_crm.exception_events", "exception_id, change",
             [("X-1", change)])
            for change in ("opened", "paused", "resumed", "resolved", "reopened")
        ),
    ],
)  # fmt: skip
def test_what_a_capability_takes_in_is_a_row(
    settings: Settings,
    engine: Engine,
    kind: str,
    example: str,
    changed: dict[str, str],
    table: str,
    columns: str,
    expected: list[tuple[object, ...]],
) -> None:
    message = send(engine, kind, EXAMPLES[example] | changed)
    assert all(each.adds_up for each in take_in(settings, engine).counts)
    assert rows(settings, table, columns) == expected
    outcome = outcome_of(engine, "partner", message)
    assert outcome is not None and outcome.status == "loaded"


def test_a_proof_has_its_lines_and_the_documents_that_were_uploaded(
    settings: Settings, engine: Engine
) -> None:
    there = seal(settings, b"\x89PNG\r\n\x1a\n and so on")
    absent = "0" * 64
    documents = [{"document_id": there, "kind": "photo"}, {"document_id": absent, "kind": "signature"}]
    send(engine, "proof_of_delivery", PROOF | {"documents": documents})
    take_in(settings, engine)
    assert rows(settings, "raw_pod.proofs", "pod_id, has_line_quantities") == [("P1", True)]
    assert [str(each[0]) for each in rows(settings, "raw_pod.delivered_lines", "quantity")] == ["12.5000"]
    found = rows(settings, "raw_pod.evidence", "status, mime_type, sha256")
    assert sorted(found, key=str) == [("missing", None, None), ("sealed", "image/png", there)]
    assert path_of(settings, there).exists()


def test_a_message_that_says_nothing_readable_is_a_dead_letter(settings: Settings, engine: Engine) -> None:
    good = send(engine, "route_assignment", ROUTE, "good")
    bad = {
        "cut": b'{"pod_id": "P1"',
        "twice": b'{"pod_id": "P1", "pod_id": "P2"}',
        "number": json.dumps(PROOF | {"lines": [LINE | {"quantity": 12.5}]}).encode(),
    }
    for event_id, body in bad.items():
        send(engine, "proof_of_delivery", body, event_id)
    send(engine, "ferry_timetable", ROUTE, "unknown")
    take_in(settings, engine)
    letters = {each.source_id: each.reason for each in dead_letters.with_status(engine, "open")}
    assert letters == dict.fromkeys(bad, "FIELD_INVALID") | {"unknown": "STATUS_UNKNOWN"}
    assert inbox.waiting(engine) == {}
    outcome = outcome_of(engine, "partner", good)
    assert outcome is not None and outcome.status == "loaded"


def test_a_proof_before_its_shipment_waits_and_no_message_takes_it_along(
    settings: Settings, engine: Engine
) -> None:
    send(
        engine,
        "route_assignment",
        ROUTE | {"consignments": [{"consignment_id": "C0", "order_id": "SO0"}]},
        "r0",
    )
    take_in(settings, engine)
    early = send(engine, "proof_of_delivery", PROOF)
    take_in(settings, engine)
    waits = outcome_of(engine, "partner", early)
    assert waits is not None and waits.status == "parked"
    send(engine, "route_assignment", ROUTE, "r1")
    send(engine, "proof_of_delivery", PROOF | {"pod_id": "P2", "lines": []}, "p2")
    take_in(settings, engine)
    # It is taken up beside them, so that none of them is to blame for it.
    assert [each[0] for each in rows(settings, "raw_pod.proofs", "pod_id")] == ["P2"]
    still = outcome_of(engine, "partner", early)
    assert still is not None and still.status == "parked"


def test_a_batch_that_died_before_it_was_settled_loads_nothing_twice(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = send(engine, "route_assignment", ROUTE)
    with monkeypatch.context() as patch:
        patch.setattr(events.inbox, "settle", _die)
        with pytest.raises(KeyboardInterrupt):
            take_in(settings, engine)
    assert inbox.waiting(engine) == {"partner": 1}
    take_in(settings, engine)
    assert len(rows(settings, "raw_dispatch.actions")) == 1
    outcome = outcome_of(engine, "partner", message)
    assert outcome is not None and outcome.status == "duplicate" and outcome.rows["rows_in"] == 3


@pytest.mark.parametrize("most", [100, 1])
def test_what_cannot_be_had_now_stays_open_and_keeps_no_other_waiting(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    late = send(engine, "route_assignment", ROUTE, "late")
    other = send(engine, "route_assignment", ROUTE | {"trip_id": "T2"}, "other")
    map_rows = Mapper.rows

    def fail_once(self: Mapper, message: inbox.Message) -> Any:
        if message.event_id == "late":
            raise SourceFailure("the document's host does not answer", remedy="wait")
        return map_rows(self, message)

    with monkeypatch.context() as patch:
        patch.setattr(Mapper, "rows", fail_once)
        understood = understand(settings, engine, PARTNER, most, Rests())
        events.settle(engine, "run_1", events.take_in(settings, engine, understood, "run_1"))
    assert understood.postponed == {late: "the document's host does not answer"}
    settled = outcome_of(engine, "partner", other)
    assert settled is not None and settled.status == "loaded"
    assert inbox.waiting(engine) == {"partner": 1}
    take_in(settings, engine)
    assert inbox.waiting(engine) == {}


EVENT = {"specversion": "1.0", "id": "1", "source": "/fleet", "time": AT}
EVENTS = {
    "waybill.stop.arrived.v1": ({"stop_id": "S1"}, "dispatch.actions", "actual"),
    "waybill.stop.departed.v1": ({"stop_id": "S1", "arrived_at": AT}, "dispatch.actions", "realized"),
    "waybill.load.completed.v1": ({"consignment_id": "C1"}, "dispatch.actions", "realized"),
    "waybill.delivery.failed.v1": ({"consignment_id": "C1", "reason": "shut"}, "dispatch.actions", "realized"),
    "waybill.geofence.entered.v1": ({"device_id": "D1", "location_id": "L1"}, "telematics.vehicle_events", None),
    "waybill.route.deviated.v1": ({"device_id": "D1"}, "telematics.vehicle_events", None),
    "waybill.vehicle.maintenance_alert.v1": (
        {"maintenance_order_id": "M1", "vehicle_id": "V1"}, "maintenance.maintenance_orders", None,
    ),
    "waybill.eta.updated.v1": ({"stop_id": "S1", "issuer": "planner", "eta_at": AT}, "tms.eta_predictions", None),
}  # fmt: skip


@pytest.mark.parametrize("kind", EVENTS)
def test_each_type_of_event_is_a_row(settings: Settings, engine: Engine, kind: str) -> None:
    data, table, lifecycle = EVENTS[kind]
    send(engine, "event", EVENT | {"type": kind, "data": data})
    taken = take_in(settings, engine)
    assert [(each.loaded, each.dead_lettered) for each in (one.settled for one in taken.loaded)] == [(1, 0)]
    columns = "source_version" + (", lifecycle, action_id" if lifecycle else "")
    (row,) = rows(settings, f"raw_{table}", columns)
    assert row[0] == datetime(2026, 11, 13, 16, tzinfo=UTC)
    assert not lifecycle or row[1:] == (lifecycle, "/fleet#1")


WEBHOOKS: dict[str, tuple[dict[str, Any], str]] = {
    "webhook:samsara": (
        {"eventId": "1", "eventTime": AT, "eventType": "RouteStopDeparture", "data": {
            "time": AT, "route": {"id": "T1"}, "vehicle": {"id": "V1"},
            "routeStopDetails": {"id": "S1", "actualArrivalTime": AT, "actualDepartureTime": AT},
        }}, "dispatch.actions",
    ),
    "webhook:motive": (
        {"action": "vehicle_location_updated", "id": "1", "vehicle_id": 7, "located_at": AT, "lat": 50.1, "lon": 8.6},
        "telematics.positions",
    ),
    "webhook:easypost": (
        {"id": "evt_1", "description": "tracker.updated", "mode": "production", "result": {
            "id": "trk_1", "tracking_code": "C1", "tracking_details": [{"status": "in_transit", "datetime": AT}],
        }}, "wms.delivery_events",
    ),
    "webhook:standard": (
        {"type": "waybill.stop.arrived.v1", "timestamp": AT, "data": {"stop_id": "S1"}}, "dispatch.actions",
    ),
}  # fmt: skip
SILENT = {
    "webhook:samsara": {"eventType": "DocumentSubmitted"},
    "webhook:motive": {"action": "test"},
    "webhook:easypost": {"mode": "test"},
}


@pytest.mark.parametrize("kind", WEBHOOKS)
def test_each_vendors_webhook_is_a_row(settings: Settings, engine: Engine, kind: str) -> None:
    body, table = WEBHOOKS[kind]
    send(engine, kind, body)
    taken = take_in(settings, engine)
    assert [(each.loaded, each.dead_lettered) for each in (one.settled for one in taken.loaded)] == [(1, 0)]
    assert len(rows(settings, f"raw_{table}")) == 1


@pytest.mark.parametrize("kind", SILENT)
def test_what_says_nothing_about_a_delivery_is_no_row(settings: Settings, engine: Engine, kind: str) -> None:
    message = send(engine, kind, WEBHOOKS[kind][0] | SILENT[kind])
    taken = take_in(settings, engine)
    assert [each.rows_in for each in (one.settled for one in taken.loaded)] == [0]
    outcome = outcome_of(engine, "partner", message)
    assert outcome is not None and outcome.status == "loaded"


def _die(*_: object) -> None:
    raise KeyboardInterrupt
