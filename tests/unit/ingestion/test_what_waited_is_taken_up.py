"""A proof that came before another partner assigned its shipment waits for that, and no longer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from dlt.common.libs import pyarrow as dlt_arrow
from dlt.pipeline.exceptions import PipelineStepFailed
from sqlalchemy import Engine, select

from contracts.resources import RESOURCES
from core.connections import Connection
from core.ids import new_id
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.base import SourceRecord
from ingestion.events import run as events
from ingestion.events import taking_up
from ingestion.events.adapter import InboxAdapter
from ingestion.events.rests import Rests
from ingestion.events.taking_up import take_up
from ingestion.events.understanding import understand
from ingestion.load import Loader
from ingestion.run import Counts, ensure_warehouse, read
from ingestion.sorting import Sorter, Tally
from state import dead_letters, inbox
from state.decisions import EVENTS
from state.engine import reading
from state.inbox import Incoming
from state.message_outcomes import outcome_of
from state.tables import dead_letters as letters_table
from state.tables import ingest_counts

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
AT = "2026-11-13T16:00:00Z"
SIGNER, DISPATCHER = (
    Connection(connection=name, kind=kind, adapter="onfleet", owner="delivery-operations", as_of=NOW)
    for name, kind in (("signer", "pod"), ("dispatcher", "dispatch"))
)
PROOF = {
    "pod_id": "P1", "consignment_id": "C1", "outcome": "succeeded", "captured_at": AT, "changed_at": AT, "lines": [],
}  # fmt: skip
CONSIGNMENTS = {("dispatch", "consignments")}


@pytest.fixture
def proof(settings: Settings, engine: Engine) -> str:
    """The id of the message with a proof that waits: other shipments are known, its own is not."""
    assign(settings, engine, "C0")
    message = send(settings, engine, SIGNER, "proof_of_delivery", PROOF, "p1")
    assert status_of(engine, message) == "parked"
    return message


def send(
    settings: Settings, engine: Engine, by: Connection, kind: str, body: Mapping[str, Any], name: str
) -> str:
    message = Incoming(
        by.connection, name, "api", kind, "application/json", json.dumps(body).encode(), f"trace_{name}", NOW
    )
    (accepted,) = inbox.accept(engine, [message])
    taken = events.take_in(settings, engine, understand(settings, engine, by, 100, Rests()), f"run_{name}")
    events.settle(engine, f"run_{name}", taken)
    return accepted.message_id


def assign(settings: Settings, engine: Engine, *consignments: str) -> None:
    """One trip with these shipments."""
    trip = {
        "trip_id": f"T-{consignments[0]}", "status": "confirmed", "changed_at": AT,
        "consignments": [{"consignment_id": each, "order_id": f"SO-{each}"} for each in consignments],
    }  # fmt: skip
    send(settings, engine, DISPATCHER, "route_assignment", trip, f"r-{consignments[0]}")


def taken_up(
    settings: Settings,
    engine: Engine,
    loaded: set[tuple[str, str]] | None = CONSIGNMENTS,
    connections: tuple[Connection, ...] = (SIGNER, DISPATCHER),
) -> list[Counts]:
    taken = take_up(settings, engine, connections, "run_up", loaded)
    taking_up.settle(engine, taken)
    return taken.counts


def status_of(engine: Engine, message: str) -> str:
    outcome = outcome_of(engine, "signer", message)
    assert outcome is not None
    return outcome.status


def proofs(settings: Settings) -> list[str]:
    with open_warehouse(settings, "test") as warehouse:
        return [
            each for (each,) in warehouse.execute("SELECT pod_id FROM raw_pod.proofs ORDER BY 1").fetchall()
        ]


@pytest.mark.parametrize(
    "loaded",
    [CONSIGNMENTS, {("pod", "proofs")}, None],
    ids=["it came in this batch", "another proof came in this batch", "it may have come at any time"],
)
def test_it_is_loaded_once_its_shipment_is_assigned(
    settings: Settings, engine: Engine, proof: str, loaded: set[tuple[str, str]] | None
) -> None:
    assign(settings, engine, "C1")
    (counts,) = taken_up(settings, engine, loaded)
    assert (counts.source, counts.resource, counts.loaded, counts.parked) == ("raw_pod", "proofs", 1, 0)
    assert (proofs(settings), status_of(engine, proof)) == (["P1"], "loaded")
    assert taken_up(settings, engine, loaded) == []


@pytest.mark.usefixtures("proof")
def test_another_shipment_is_none_of_its_business(settings: Settings, engine: Engine) -> None:
    assign(settings, engine, "C2")
    assert taken_up(settings, engine) == []
    assert proofs(settings) == []


@pytest.mark.usefixtures("proof")
def test_nobody_looks_when_no_shipment_came(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(taking_up, "known_parents")
    assert taken_up(settings, engine, {("dispatch", "actions"), ("pod", "delivered_lines")}) == []


def test_what_a_retired_partner_sent_is_left_to_people(
    settings: Settings, engine: Engine, proof: str
) -> None:
    assign(settings, engine, "C1")
    retired = SIGNER.model_copy(update={"lifecycle": "retired"})
    assert taken_up(settings, engine, connections=(retired, DISPATCHER)) == []
    assert (proofs(settings), status_of(engine, proof)) == ([], "parked")


def test_a_batch_that_died_before_it_built_on_it_leaves_nothing_waiting(
    settings: Settings, engine: Engine, proof: str
) -> None:
    assign(settings, engine, "C1")
    take_up(settings, engine, (SIGNER, DISPATCHER), "run_dies", CONSIGNMENTS)
    assert (proofs(settings), status_of(engine, proof)) == (["P1"], "parked")
    (counts,) = taken_up(settings, engine)
    assert (counts.loaded, counts.duplicate) == (0, 1)
    assert (proofs(settings), status_of(engine, proof)) == (["P1"], "loaded")


def wait(settings: Settings, engine: Engine, *pods: str, **more: str) -> dict[str, str]:
    """Proofs that wait for a shipment each; the messages that brought them."""
    return {
        each: send(
            settings, engine, SIGNER, "proof_of_delivery",
            PROOF | {"pod_id": each, "consignment_id": f"C-{each}"} | more, f"m-{each}",
        )
        for each in pods
    }  # fmt: skip


def counted(engine: Engine, resource: str = "proofs") -> list[tuple[int, int]]:
    """Rows in and loaded, of each time that waiting rows were taken up."""
    columns = ingest_counts.c
    with reading(engine) as db:
        where = columns.run_id.like("run_up_waited%") & (columns.resource == resource)
        return [(row.rows_in, row.loaded) for row in db.execute(select(ingest_counts).where(where))]


def test_a_row_that_the_warehouse_refuses_is_the_only_dead_letter_of_twenty(
    settings: Settings, engine: Engine
) -> None:
    names = [f"P{number:02}" for number in range(20)]
    assign(settings, engine, "C0")
    messages = wait(settings, engine, *names[:13], signer="dock")
    messages |= wait(settings, engine, "POISON")
    messages |= wait(settings, engine, *names[13:], signer="dock")
    assert {status_of(engine, each) for each in messages.values()} == {"parked"}
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("ALTER TABLE raw_pod.proofs ALTER COLUMN signer SET NOT NULL")
    assign(settings, engine, *(f"C-{each}" for each in messages))
    taken_up(settings, engine)
    assert proofs(settings) == names
    assert {each for each in messages if status_of(engine, messages[each]) != "loaded"} == {"POISON"}
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.source_id) == ("UNFORESEEN", "POISON") and b"POISON" in letter.raw
    assert "Remedy:" in letter.detail and letter.fields is not None
    assert status_of(engine, messages["POISON"]) == "dead-lettered"
    assert dead_letters.parked(engine, "signer", "proofs") == []
    found = counted(engine)
    assert sum(rows for rows, _ in found) == sum(loaded for _, loaded in found) == 20, "each once"
    assert taken_up(settings, engine, None) == [], "no later batch breaks on it"
    # A warehouse that is made anew has the same rows, and no trouble with the other.
    settings.warehouse.unlink()
    ensure_warehouse(settings, engine)
    assert proofs(settings) == names


def test_a_warehouse_that_takes_nothing_gives_up_none(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(settings, engine, "C0")
    messages = wait(settings, engine, "P1", "P2")
    assign(settings, engine, "C-P1", "C-P2")

    def stream(*_: Any, **__: Any) -> Any:
        raise ValueError("every package, whatever is in it")

    with monkeypatch.context() as patch, pytest.raises(PipelineStepFailed):
        patch.setattr(dlt_arrow, "pq_stream_with_new_columns", stream)
        taken_up(settings, engine)
    assert {status_of(engine, each) for each in messages.values()} == {"parked"}
    assert not dead_letters.with_status(engine, "open") and counted(engine) == []
    taken_up(settings, engine)
    assert proofs(settings) == ["P1", "P2"] and counted(engine) == [(2, 2)]


@pytest.mark.usefixtures("proof")
def test_what_breaks_one_resource_takes_nothing_from_the_counts_of_another(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive(settings, engine, "D0")
    fence = {
        "specversion": "1.0", "id": "g1", "source": "truck", "type": "waybill.geofence.entered.v1", "time": AT,
        "data": {"device_id": "D1", "location_id": "dock"},
    }  # fmt: skip
    message = send(settings, engine, SIGNER, "event", fence, "g1")
    assert status_of(engine, message) == "parked"
    drive(settings, engine, "D1")
    assign(settings, engine, "C1")
    true = Sorter.sort

    def sort(self: Sorter, records: Any, columns: Any = ()) -> Any:
        if any(each.resource == "vehicle_events" for each in records):
            raise ZeroDivisionError("of somebody")
        return true(self, records, columns)

    monkeypatch.setattr(Sorter, "sort", sort)
    (counts,) = taken_up(settings, engine, None)
    assert (counts.source, counts.loaded) == ("raw_pod", 1)
    assert counted(engine) == [(1, 1)] and counted(engine, "vehicle_events") == []
    assert status_of(engine, message) == "dead-lettered" and proofs(settings) == ["P1"]


def drive(settings: Settings, engine: Engine, device: str) -> None:
    """A lorry with this device is known."""
    vehicle = {"vehicle_id": f"V-{device}", "device_id": device}
    row = SourceRecord("vehicles", vehicle, NOW, vehicle)
    loader = Loader(settings, "dispatcher", "dispatch", is_inbox=True)
    read(
        settings, engine, DISPATCHER, InboxAdapter(["vehicles"], [row], NOW), f"run_{device}", loader, Tally(),
        moves=False,
    )  # fmt: skip


def test_the_longest_run_id_has_room_in_the_state_store() -> None:
    run_id = new_id(EVENTS)
    longest = max(
        len(f"{run_id}_waited_{each.kind}_{each.name}_{2**31}") for each in RESOURCES if each.parent
    )
    assert all(longest <= table.c.run_id.type.length for table in (ingest_counts, letters_table))


def test_a_store_that_is_gone_is_no_rows_fault(
    settings: Settings, engine: Engine, proof: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(settings, engine, "C1")
    with monkeypatch.context() as patch:
        patch.setattr(Sorter, "sort", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        with pytest.raises(OSError, match="no space"):
            taken_up(settings, engine)
    assert status_of(engine, proof) == "parked"
    (counts,) = taken_up(settings, engine)
    assert counts.loaded == 1
