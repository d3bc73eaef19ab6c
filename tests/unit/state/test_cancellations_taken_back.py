"""A cancelled invoice is billed again under its own key, or its lines by another: by two people's word over an empty ERP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from activation.books import Books
from core.errors import PermanentFailure
from core.settings import Settings
from state import leases, outbox, proposals
from state.engine import open_state, reading
from state.outbox_rows import NewEffect, OutboxEntry
from state.tables import charge_lines
from state.tables import outbox as effects
from state.tables_of_people import outbox_proposals
from tests.support.credit_documents import KEY, bring, effect

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
THERE = [{"erp_id": "SINV-1", "status": "cancelled", "currency": "EUR", "grand_total": "35.70"}]
OTHER = effect(company="WBAT")
"""The same lines, billed by the right company."""


@pytest.fixture
def cancelled(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    """An invoice that was sent, given up, and cancelled."""
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    with engine.begin() as db:
        outbox.enqueue(db, effect(), NOW)
        db.execute(update(effects).values(may_exist=True, attempt_count=1))
    bring(engine, KEY, "SENDING", "UNKNOWN", "HELD", "CANCELLED")
    return engine


def entry(engine: Engine) -> OutboxEntry:
    return outbox.of_keys(engine, [KEY])[0]


def take_back(engine: Engine) -> OutboxEntry:
    proposals.propose(engine, entry(engine), "BLOCKED", [], "anna", "wrong company", NOW)
    return proposals.confirm(engine, entry(engine), [], "boris", "seen", NOW)


def claims(engine: Engine) -> dict[str, str]:
    with reading(engine) as db:
        return {row.charge_key: row.idempotency_key for row in db.execute(select(charge_lines))}


def enqueue(engine: Engine, new: NewEffect) -> str:
    with engine.begin() as db:
        return outbox.enqueue(db, new, NOW)


def test_lines_stay_claimed_until_two_people_set_them_free(cancelled: Engine) -> None:
    with pytest.raises(PermanentFailure, match="which two people cancelled") as refused:
        enqueue(cancelled, OTHER)
    assert "--to bill-again" in refused.value.remedy
    proposals.propose(cancelled, entry(cancelled), "BLOCKED", [], "anna", "wrong company", NOW)
    with pytest.raises(PermanentFailure, match="cannot confirm"):
        proposals.confirm(cancelled, entry(cancelled), [], " Anna", "seen", NOW)
    with pytest.raises(PermanentFailure, match="which two people cancelled"):
        enqueue(cancelled, OTHER)
    assert proposals.confirm(cancelled, entry(cancelled), [], "boris", "seen", NOW).state == "BLOCKED"
    assert enqueue(cancelled, OTHER) == "new"
    assert set(claims(cancelled).values()) == {OTHER.idempotency_key}
    # Whoever comes second bills nothing, whatever its content: also the row that was cancelled.
    for again in (effect(), effect(content_hash="other")):
        with pytest.raises(PermanentFailure, match="Another invoice bills"):
            enqueue(cancelled, again)
    assert entry(cancelled).state == "BLOCKED"


@pytest.mark.parametrize("changes", [{}, {"content_hash": "other"}], ids=["as it was", "changed"])
def test_the_same_invoice_is_billed_again_under_its_own_key(
    cancelled: Engine, changes: dict[str, Any]
) -> None:
    assert enqueue(cancelled, effect(**changes)) == "cancelled"
    taken = take_back(cancelled)
    assert (taken.state, taken.may_exist, claims(cancelled)) == ("BLOCKED", False, {})
    assert enqueue(cancelled, effect(decision_id="d2", input_hash="i2", **changes)) in {"known", "refreshed"}
    row = entry(cancelled)
    assert (row.state, row.decision_id, row.input_hash) == ("READY", "d2", "i2")
    assert set(claims(cancelled).values()) == {KEY}
    with pytest.raises(PermanentFailure, match="Another invoice bills"):
        enqueue(cancelled, OTHER)


def test_nothing_is_sent_by_the_decision_that_was_cancelled(cancelled: Engine) -> None:
    take_back(cancelled)
    # As a restore and its look-up would make it go on by itself.
    bring(cancelled, KEY, "UNKNOWN", "RETRY_WAIT", "READY")
    books = Books(cancelled, "w", lambda: NOW)
    (row,) = leases.lease(cancelled, "erp", "w", NOW, NOW.replace(hour=18), 1)
    (begun,) = books.begin([row])
    assert begun is not None and begun.state == "BLOCKED"


@pytest.mark.parametrize("found", [THERE, None], ids=["something is there", "nobody confirmed"])
def test_the_database_refuses_what_two_people_did_not_say(
    cancelled: Engine, found: list[dict[str, str]] | None
) -> None:
    about = {
        "idempotency_key": KEY, "shipment_no": "S-1", "from_state": "CANCELLED", "to_state": "BLOCKED", "found": found or [],
        "proposed_by": "anna", "proposed_because": "x", "proposed_at": NOW,
    }  # fmt: skip
    said = {"confirmed_by": "boris", "confirmed_because": "x", "confirmed_at": NOW} if found else {}
    with cancelled.begin() as db:
        db.execute(insert(outbox_proposals).values(**about, **said))
    with pytest.raises(DBAPIError, match="only two people"):
        bring(cancelled, KEY, "BLOCKED")
    with pytest.raises(DBAPIError, match="bills this line"), cancelled.begin() as db:
        db.execute(delete(charge_lines))


@pytest.mark.parametrize("state", ["READY", "SENDING", "UNKNOWN", "ACKED", "HELD"])
def test_a_cancelled_row_becomes_nothing_else(cancelled: Engine, state: str) -> None:
    with pytest.raises(DBAPIError):
        bring(cancelled, KEY, state)


def test_one_word_takes_back_one_cancellation(cancelled: Engine) -> None:
    take_back(cancelled)
    with pytest.raises(DBAPIError, match="bills this line"), cancelled.begin() as db:
        outbox.enqueue(db, replace(effect(), decision_id="d2"), NOW)
        db.execute(delete(charge_lines))
    row = entry(cancelled)
    with cancelled.begin() as db:
        outbox.enqueue(db, effect(), NOW)
    bring(cancelled, KEY, "SENDING", "DEAD")
    proposals.propose(cancelled, entry(cancelled), "CANCELLED", [], "anna", "never", NOW)
    assert proposals.confirm(cancelled, entry(cancelled), [], "boris", "seen", NOW).state == "CANCELLED"
    with pytest.raises(DBAPIError, match="only two people"):
        bring(cancelled, row.idempotency_key, "BLOCKED")
