"""One message that breaks Waybill in a way that nobody foresaw is given up; the others of its batch go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from dlt.common.libs import pyarrow as dlt_arrow
from dlt.pipeline.exceptions import PipelineStepFailed
from sqlalchemy import Engine, select
from sqlalchemy.exc import OperationalError

from core.connections import Connection
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion.events import run as events
from ingestion.events.giving_up import is_of_the_place
from ingestion.events.mapping import Mapper
from ingestion.events.rests import Rests
from ingestion.events.understanding import understand
from ingestion.run import ensure_warehouse
from ingestion.sorting import Sorter
from state import dead_letters, inbox
from state.engine import reading
from state.inbox import Incoming
from state.tables import ingest_counts

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
AT = "2026-11-13T16:00:00Z"
PARTNER = Connection(
    connection="partner", kind="pod", adapter="onfleet", owner="delivery-operations", as_of=NOW
)


def send(engine: Engine, *ids: str, **more: str) -> None:
    """A proof of each id."""
    for each in ids:
        proof = {
            "pod_id": each, "consignment_id": f"C-{each}", "outcome": "succeeded", "captured_at": AT, "changed_at": AT,
            **more,
        }  # fmt: skip
        body = json.dumps(proof).encode()
        message = Incoming(
            "partner", each, "api", "proof_of_delivery", "application/json", body, f"t_{each}", NOW
        )
        inbox.accept(engine, [message])


def take_in(settings: Settings, engine: Engine) -> events.TakenIn:
    taken = events.take_in(settings, engine, understand(settings, engine, PARTNER, 100, Rests()), "run_1")
    assert events.settle(engine, "run_1", taken) == len(taken.loaded) + len(taken.given_up)
    return taken


def loaded(settings: Settings) -> list[str]:
    with open_warehouse(settings, "test") as warehouse:
        found = warehouse.execute("SELECT pod_id FROM raw_pod.proofs ORDER BY pod_id").fetchall()
    return [each for (each,) in found]


def breaking_mapper(bad: str, error: Exception) -> tuple[Any, str, Callable[..., Any]]:
    true = Mapper.rows

    def rows(self: Mapper, message: inbox.Message) -> Any:
        if message.event_id == bad:
            raise error
        return true(self, message)

    return Mapper, "rows", rows


def breaking_sorter(bad: str, error: Exception) -> tuple[Any, str, Callable[..., Any]]:
    true = Sorter.sort

    def sort(self: Sorter, records: Any, columns: Any = ()) -> Any:
        if any(each.fields and each.fields.get("pod_id") == bad for each in records):
            raise error
        return true(self, records, columns)

    return Sorter, "sort", sort


def breaking_dlt(bad: str, error: Exception) -> tuple[Any, str, Callable[..., Any]]:
    """dlt cannot normalise a package that has a row of this proof in it."""
    true = dlt_arrow.pq_stream_with_new_columns

    def stream(*arguments: Any, **named: Any) -> Iterator[Any]:
        for batch in true(*arguments, **named):
            if "pod_id" in batch.column_names and bad in batch["pod_id"].to_pylist():
                raise error
            yield batch

    return dlt_arrow, "pq_stream_with_new_columns", stream


@pytest.mark.parametrize("breaking", [breaking_mapper, breaking_sorter, breaking_dlt])
@pytest.mark.parametrize("ids", [("P1", "P2", "P3", "P4", "P5"), ("P3",)])
def test_it_alone_is_given_up(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, breaking: Any, ids: tuple[str, ...]
) -> None:
    send(engine, *ids)
    monkeypatch.setattr(*breaking("P3", ZeroDivisionError("of somebody")))
    taken = take_in(settings, engine)
    assert loaded(settings) == [each for each in ids if each != "P3"]
    assert not inbox.waiting(engine) and len(taken.loaded) == len(ids) - 1
    assert [each.loaded for each in taken.given_up] == [0]
    assert all(each.settled.loaded == 1 for each in taken.loaded)
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.source_id) == ("UNFORESEEN", "P3") and b"P3" in letter.raw
    assert (
        letter.detail.startswith(("ZeroDivisionError", "PipelineStepFailed")) and "Remedy:" in letter.detail
    )
    assert "of somebody" not in letter.detail
    # Each row is counted once, however often it was tried.
    with reading(engine) as db:
        counted = db.execute(select(ingest_counts).where(ingest_counts.c.resource == "proofs")).all()
    assert sum(each.rows_in for each in counted) == sum(each.loaded for each in counted) == len(ids) - 1


def test_a_row_that_the_warehouse_refuses_is_the_only_dead_letter_of_twenty(
    settings: Settings, engine: Engine
) -> None:
    names = [f"P{number:02}" for number in range(20)]
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("ALTER TABLE raw_pod.proofs ALTER COLUMN signer SET NOT NULL")
    send(engine, *names[:13], signer="dock")
    send(engine, "POISON")
    send(engine, *names[13:], signer="dock")
    assert len(take_in(settings, engine).loaded) == 20
    assert loaded(settings) == names and not inbox.waiting(engine)
    (letter,) = dead_letters.with_status(engine, "open")
    assert (letter.reason, letter.source_id) == ("UNFORESEEN", "POISON")
    # A warehouse that is made anew has the same rows, and no trouble with the other.
    settings.warehouse.unlink()
    ensure_warehouse(settings, engine)
    assert loaded(settings) == names


def test_a_warehouse_that_takes_nothing_gives_up_none(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "P1", "P2")

    def stream(*_: Any, **__: Any) -> Any:
        raise ValueError("every package, whatever is in it")

    with monkeypatch.context() as patch, pytest.raises(PipelineStepFailed):
        patch.setattr(dlt_arrow, "pq_stream_with_new_columns", stream)
        take_in(settings, engine)
    assert inbox.waiting(engine) == {"partner": 2} and not dead_letters.with_status(engine, "open")
    take_in(settings, engine)
    assert loaded(settings) == ["P1", "P2"] and not inbox.waiting(engine)


@pytest.mark.parametrize("breaking", [breaking_mapper, breaking_sorter, breaking_dlt])
@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        MemoryError(),
        duckdb.IOException("gone"),
        duckdb.CatalogException("gone"),
    ],
)
def test_what_is_no_message_s_fault_gives_up_none(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch, breaking: Any, error: Exception
) -> None:
    send(engine, "P1", "P2")
    with monkeypatch.context() as patch, pytest.raises((type(error), PipelineStepFailed)):
        patch.setattr(*breaking("P1", error))
        take_in(settings, engine)
    assert inbox.waiting(engine) == {"partner": 2} and not dead_letters.with_status(engine, "open")
    take_in(settings, engine)
    assert loaded(settings) == ["P1", "P2"] and not inbox.waiting(engine)


def test_what_breaks_without_it_too_gives_it_not_up(
    settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(engine, "P1", "P2")

    def read(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
        patch.setattr(events, "read", read)
        take_in(settings, engine)
    assert inbox.waiting(engine) == {"partner": 2} and not dead_letters.with_status(engine, "open")


def test_what_an_error_came_from_counts() -> None:
    def wrapped(cause: Exception) -> Exception:
        error = RuntimeError("a step failed")
        error.__cause__ = cause
        return error

    circle = ValueError("no number")
    circle.__context__ = wrapped(circle)
    assert not is_of_the_place(circle)
    assert is_of_the_place(wrapped(OSError(28, "No space left on device")))
    assert is_of_the_place(OperationalError("SELECT 1", {}, Exception("the server is gone")))
    assert not is_of_the_place(wrapped(ValueError("no number")))
    assert not is_of_the_place(duckdb.ConversionException("no number"))
