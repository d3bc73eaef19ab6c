"""A copy of a store holds all that the guards let in one after the other, and is guarded as the store was."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import credit_notes, outbox
from state.copies import copy_rows
from state.credit_notes import NewDraft
from state.engine import open_state, open_unbound, reading
from state.outbox_rows import NewEffect
from state.tables import metadata, outbox_documents, store_identity
from state.tables import outbox as effects

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


def effect(**changes: Any) -> NewEffect:
    fields: dict[str, Any] = {
        "company": "WBDE", "destination": "erp", "operation": "invoice", "business_id": "b", "revision": 1,
        "shipment_no": "S-1", "decision_id": "d", "payload": b"{}", "payload_hash": "p", "content_hash": "c",
        "input_hash": "i", "amount": Decimal(10), "currency": "EUR", "charge_keys": ("S-1|1|goods|1",),
    }  # fmt: skip
    return NewEffect(**(fields | changes))


def posted(engine: Engine, key: str) -> None:
    with engine.begin() as db:
        for state in ("SENDING", "ACKED"):
            db.execute(update(effects).where(effects.c.idempotency_key == key).values(state=state))


@pytest.fixture
def corrected(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    """An invoice that was posted, credited and billed again."""
    engine = open_state(Settings(home=tmp_path / "home", state_url=state_url))
    first = effect()
    with engine.begin() as db:
        outbox.enqueue(db, first, NOW)
    posted(engine, first.idempotency_key)
    note = effect(operation="credit_note", charge_keys=()).idempotency_key
    draft = NewDraft(note, first.idempotency_key, "S-1", "SINV-1", Decimal(-10), "EUR", b"note", "n", "asked", "", "anna", "x", NOW)  # fmt: skip
    credit_notes.draft(engine, draft)
    credit_notes.answer(engine, "S-1", "granted", "boris", "seen", NOW)
    posted(engine, note)
    with engine.begin() as db:
        (entry,) = (each for each in outbox.rows(engine) if each.operation == "credit_note")
        credit_notes.set_free(db, entry)
        outbox.enqueue(db, effect(revision=2, payload=b"again", payload_hash="a"), NOW)
    return engine


def everything(db: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key))]
        for table in metadata.sorted_tables
        if table is not store_identity
    }


def guards(db: Connection) -> set[str]:
    if db.dialect.name == "sqlite":
        return set(db.scalars(text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")))
    query = "SELECT tgname || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
    return set(db.scalars(text(query)))


def test_a_corrected_invoice_is_copied_whole_and_guarded(
    corrected: Engine, other_url: SecretStr | None, tmp_path: Path
) -> None:
    copy = open_unbound(Settings(home=tmp_path / "copy", state_url=other_url))
    with reading(corrected) as source, copy.begin() as target:
        copy_rows(source, target)
    with reading(corrected) as source, reading(copy) as target:
        assert len(everything(source)["outbox"]) == 3
        assert everything(target) == everything(source)
        assert guards(target) == guards(source)
    with pytest.raises(DBAPIError, match="append-only"), copy.begin() as db:
        db.execute(delete(outbox_documents))


def test_a_copy_that_fails_leaves_nothing_and_the_guards(
    corrected: Engine, other_url: SecretStr | None, tmp_path: Path
) -> None:
    copy = open_unbound(Settings(home=tmp_path / "copy", state_url=other_url))
    with copy.begin() as db:
        before = guards(db)
        outbox.enqueue(db, effect(), NOW)
    with pytest.raises(DBAPIError), reading(corrected) as source, copy.begin() as target:
        copy_rows(source, target)
    with reading(copy) as db:
        assert guards(db) == before
        assert len(everything(db)["outbox"]) == 1
