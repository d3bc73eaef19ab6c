"""A copy of a store holds all that the guards let in one after the other, and is guarded as the store was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import credit_notes, outbox
from state.copies import copy_rows
from state.engine import open_state, open_unbound, reading
from state.tables import metadata, outbox_documents, store_identity
from tests.support.credit_documents import NOTE_KEY, NOW, bring, draft_of, effect, post


@pytest.fixture
def corrected(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    """An invoice that was posted, credited and billed again."""
    engine = open_state(Settings(home=tmp_path / "home", state_url=state_url))
    post(engine)
    credit_notes.draft(engine, draft_of(cause="asked", cause_key="", drafted_by="anna"))
    credit_notes.answer(engine, "S-1", "granted", "boris", "seen", NOW)
    bring(engine, NOTE_KEY, "SENDING", "ACKED")
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
