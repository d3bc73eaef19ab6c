"""What is sent lies beside the outbox: no row without its bytes, and no bytes that anybody changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import leases, outbox, outbox_documents
from state.engine import open_state, reading
from state.outbox_rows import NewEffect
from state.tables import outbox as table
from state.tables import outbox_documents as documents

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
ONE = NewEffect(
    company="WBDE", destination="erp", operation="invoice", business_id="S-1", revision=1, shipment_no="S-1",
    decision_id="d", payload=b"one", payload_hash="p1", content_hash="c1", input_hash="i", amount=Decimal("1.10"),
    currency="EUR", charge_keys=("S-1|1",),
)  # fmt: skip
OTHER = replace(ONE, payload=b"other", payload_hash="p2", content_hash="c2")
TWO = replace(
    ONE, business_id="S-2", shipment_no="S-2", payload=b"two", payload_hash="p3", charge_keys=("S-2|1",)
)


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    with engine.begin() as db:
        outbox.enqueue(db, ONE, NOW)
    yield engine
    engine.dispose()


def sent(engine: Engine) -> list[bytes]:
    """What a worker would send now."""
    return [each.payload for each in leases.lease(engine, "erp", "w", NOW, NOW + timedelta(minutes=2), 9)]


def kept(engine: Engine) -> list[bytes]:
    with reading(engine) as db:
        return list(db.scalars(select(documents.c.payload).order_by(documents.c.payload_hash)))


def test_newer_bytes_are_sent_and_the_older_ones_stay(engine: Engine) -> None:
    with engine.begin() as db:
        assert outbox.enqueue(db, OTHER, NOW) == "refreshed"
    assert (sent(engine), kept(engine)) == ([b"other"], [b"one", b"other"])


def test_bytes_that_come_again_are_kept_once(engine: Engine) -> None:
    with engine.begin() as db:
        assert outbox.enqueue(db, OTHER, NOW) == "refreshed"
        assert outbox.enqueue(db, ONE, NOW) == "refreshed"
    assert (sent(engine), kept(engine)) == ([b"one"], [b"one", b"other"])


def test_nobody_changes_or_removes_what_was_kept(engine: Engine) -> None:
    for statement in (update(documents).values(payload=b"forged"), delete(documents)):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as db:
            db.execute(statement)
    assert kept(engine) == [b"one"]


def raw(engine: Engine, **changes: Any) -> None:
    """Past every function of ours, as a mistake would."""
    with engine.begin() as db:
        db.execute(insert(table).values(outbox.new_row(TWO, NOW) | changes))


def test_no_row_comes_in_without_its_bytes(engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="its document is not there"):
        raw(engine)
    with engine.begin() as db:
        outbox_documents.keep(db, [TWO])
    with pytest.raises(DBAPIError, match="its document is not there"):
        raw(engine, payload_hash=ONE.payload_hash)
    raw(engine)
    assert sent(engine) == [b"one", b"two"]


def test_no_row_is_pointed_at_bytes_that_are_not_its_own(engine: Engine) -> None:
    with engine.begin() as db:
        outbox_documents.keep(db, [TWO, OTHER])
    for changes in (
        {"payload_hash": "p3"},
        {"payload_hash": "none"},
        {"idempotency_key": TWO.idempotency_key},
    ):
        with pytest.raises(DBAPIError, match="its document is not there"), engine.begin() as db:
            db.execute(update(table).values(**changes))
    with engine.begin() as db:
        db.execute(update(table).values(payload_hash="p2"))
    assert sent(engine) == [b"other"]
