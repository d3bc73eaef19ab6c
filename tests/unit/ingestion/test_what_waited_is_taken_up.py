"""A proof that came before another partner assigned its shipment waits for that, and no longer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from core.connections import Connection
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.events import run as events
from ingestion.events import taking_up
from ingestion.events.rests import Rests
from ingestion.events.taking_up import take_up
from ingestion.events.understanding import understand
from ingestion.parking import Waiting
from ingestion.run import Counts, ensure_warehouse
from ingestion.sorting import Sorter
from state import dead_letters, inbox
from state.engine import open_state
from state.inbox import Incoming
from state.message_outcomes import outcome_of

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
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    yield engine
    engine.dispose()


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
    for each in consignments:
        trip = {
            "trip_id": f"T-{each}", "status": "confirmed", "changed_at": AT,
            "consignments": [{"consignment_id": each, "order_id": f"SO-{each}"}],
        }  # fmt: skip
        send(settings, engine, DISPATCHER, "route_assignment", trip, f"r-{each}")


def taken_up(
    settings: Settings,
    engine: Engine,
    loaded: set[tuple[str, str]] | None = CONSIGNMENTS,
    connections: tuple[Connection, ...] = (SIGNER, DISPATCHER),
) -> list[Counts]:
    return take_up(settings, engine, connections, "run_up", loaded)


def status_of(engine: Engine, message: str) -> str:
    outcome = outcome_of(engine, "signer", message)
    assert outcome is not None
    return outcome.status


def proofs(settings: Settings) -> list[str]:
    with open_warehouse(settings, "test") as warehouse:
        return [each for (each,) in warehouse.execute("SELECT pod_id FROM raw_pod.proofs").fetchall()]


@pytest.mark.parametrize(
    "loaded", [CONSIGNMENTS, None], ids=["it came in this batch", "it may have come at any time"]
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
    assert taken_up(settings, engine, {("dispatch", "actions"), ("pod", "proofs")}) == []


def test_what_a_retired_partner_sent_is_left_to_people(
    settings: Settings, engine: Engine, proof: str
) -> None:
    assign(settings, engine, "C1")
    retired = SIGNER.model_copy(update={"lifecycle": "retired"})
    assert taken_up(settings, engine, connections=(retired, DISPATCHER)) == []
    assert (proofs(settings), status_of(engine, proof)) == ([], "parked")


def test_a_reading_that_died_before_it_said_that_it_loaded_leaves_nothing_waiting(
    settings: Settings, engine: Engine, proof: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(settings, engine, "C1")
    with monkeypatch.context() as patch:
        patch.setattr(Waiting, "close", lambda _self: None)
        taken_up(settings, engine)
    assert (proofs(settings), status_of(engine, proof)) == (["P1"], "parked")
    (counts,) = taken_up(settings, engine)
    assert (counts.loaded, counts.duplicate) == (0, 1)
    assert (proofs(settings), status_of(engine, proof)) == (["P1"], "loaded")


def test_what_breaks_the_load_becomes_a_dead_letter_and_breaks_no_other_batch(
    settings: Settings, engine: Engine, proof: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(settings, engine, "C1")
    true = Sorter.sort

    def sort(self: Sorter, records: Any, columns: Any = ()) -> Any:
        if records:
            raise ZeroDivisionError("of somebody")
        return true(self, records, columns)

    with monkeypatch.context() as patch:
        patch.setattr(Sorter, "sort", sort)
        assert taken_up(settings, engine) == []
    assert status_of(engine, proof) == "dead-lettered"
    assert taken_up(settings, engine) == []
    assert dead_letters.parked(engine, "signer", "proofs") == []


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
