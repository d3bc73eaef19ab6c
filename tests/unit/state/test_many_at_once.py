"""What is moved and chained in bulk is row for row what it is one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, text, update

from core.ids import canonical_json, sha256_hex
from core.settings import Settings
from state import ledger, outbox, waiting
from state.engine import open_state, reading
from state.ledger import Event
from state.outbox_intake import enqueue_all
from state.outbox_rows import NewEffect
from state.tables import ledger as ledger_table
from state.tables import outbox as table
from tests.support.guards import unguarded

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
EFFECTS = [
    NewEffect(
        company="WBDE", destination="erp", operation="invoice", business_id=f"S-{number}", revision=1,
        shipment_no=f"S-{number}", decision_id="d", payload=b"bytes", payload_hash="p", content_hash="c",
        input_hash="i", amount=Decimal("1.10"), currency="EUR", charge_keys=(f"charge-{number}",),
    )
    for number in range(7)
]  # fmt: skip
SAID: list[Event] = [
    Event("first", "Jürgen", "S-1", {"b": 1, "a": 'ä " \\ \n'}),
    Event("second", "push", "S-2", {"amount": Decimal("1.10"), "at": NOW, "none": None}),
    Event("third", "push", "S-3", {}),
]


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


def waiting_for_a_retry(engine: Engine) -> list[outbox.OutboxEntry]:
    with engine.begin() as db:
        enqueue_all(db, EFFECTS, NOW)
        with unguarded(db, "outbox"):
            db.execute(update(table).values(state="RETRY_WAIT", not_before=NOW))
    return outbox.rows(engine)


def last_of_the_ledger(engine: Engine, many: int) -> list[tuple[Any, ...]]:
    columns = (ledger_table.c[name] for name in ("event", "actor", "subject", "detail"))
    with reading(engine) as db:
        return [tuple(row) for row in db.execute(select(*columns).order_by(ledger_table.c.sequence))][-many:]


@pytest.mark.parametrize("part", [2, 100])
def test_ready_in_bulk_is_as_one_by_one(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    other = open_state(Settings(home=tmp_path / "one by one"))
    for row in waiting_for_a_retry(other):
        with other.begin() as db:
            outbox.move(db, row, "READY", NOW, {"not_before": None})
    monkeypatch.setattr(waiting, "_PART", part)
    waiting_for_a_retry(engine)
    made = []
    while not made or made[-1]:
        with engine.begin() as db:
            made.append(waiting.make_ready(db, "erp", NOW, len(EFFECTS)))
    assert sum(made) == len(EFFECTS)
    assert max(made) <= part
    found, expected = ([replace(row, outbox_id=0) for row in outbox.rows(each)] for each in (engine, other))
    assert found == expected
    assert last_of_the_ledger(engine, len(EFFECTS)) == last_of_the_ledger(other, len(EFFECTS))
    assert ledger.verify(engine).problem is None


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    """The ledger's rows as the database has them, without number, time and hashes."""
    query = "SELECT event, actor, subject, detail, length(recorded_at) FROM ledger ORDER BY sequence"
    with reading(engine) as db:
        return [tuple(row) for row in db.execute(text(query))]


def test_rows_of_the_ledger_are_stored_as_their_columns_would_store_them(engine: Engine) -> None:
    with engine.begin() as db:
        ledger.append_all(db, SAID)
        for number, each in enumerate(SAID, start=len(SAID) + 1):
            last, previous = ledger.newest(db)
            assert last == number - 1
            row_hash = ledger.hash_of(previous, number, NOW, *each)
            chained = {"previous_hash": previous, "row_hash": row_hash}
            db.execute(
                insert(ledger_table).values(sequence=number, recorded_at=NOW, **each._asdict(), **chained)
            )
    rows = stored(engine)
    assert rows[: len(SAID)] == rows[len(SAID) :]


@pytest.mark.parametrize("said", SAID, ids=[each.event for each in SAID])
def test_a_hash_is_that_of_the_canonical_list(said: Event) -> None:
    detail = canonical_json(dict(said.detail)).decode()
    row = [12, NOW.isoformat(), said.event, said.actor, said.subject, detail]
    assert ledger.hash_of("0" * 64, 12, NOW, *said) == sha256_hex(b"0" * 64 + canonical_json(row))
    assert ledger.hash_of("0" * 64, 13, NOW, *said) != ledger.hash_of("0" * 64, 12, NOW, *said)


def test_a_detail_that_events_share_is_each_one_s_own(engine: Engine) -> None:
    shared = {"from": "RETRY_WAIT"}
    said = [Event("ready", "push", subject, shared) for subject in "abc"]
    with engine.begin() as db:
        ledger.append_all(db, [*said[:2], Event("other", "push", "x", {"from": "READY"}), said[2]])
    assert [row[3] for row in last_of_the_ledger(engine, 4)] == [shared, shared, {"from": "READY"}, shared]
    assert ledger.verify(engine).problem is None
