"""What the database refuses around credit notes, and the near misses that it takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from core.errors import PermanentFailure
from core.settings import Settings
from state import credit_notes, outbox, outbox_documents
from state.credit_notes import CreditNote
from state.engine import open_state
from state.outbox_rows import NewEffect
from state.tables import charge_lines
from state.tables import outbox as effects
from state.tables_of_people import credit_notes as drafts
from tests.support.credit_documents import NOW, bring, draft_of, effect, note, post

NOTE = effect(note())
SECOND = effect(revision=2, charge_keys=("S-1|1|goods|2",))
LATER = note(issue_date=date(2026, 12, 1))
"""The same, of a later day."""


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


@pytest.fixture
def posted(engine: Engine) -> Engine:
    post(engine)
    return engine


def grant(engine: Engine) -> CreditNote:
    credit_notes.draft(engine, draft_of())
    return credit_notes.answer(engine, "S-1", "granted", "boris", "seen", NOW)


def raw(engine: Engine, new: NewEffect) -> None:
    """Past every function of ours, as a mistake would."""
    with engine.begin() as db:
        outbox_documents.keep(db, [new])
        db.execute(insert(effects).values(**outbox.new_row(new, NOW)))


@pytest.mark.parametrize("answer", [None, "rejected"])
def test_no_credit_note_goes_out_without_an_approval(posted: Engine, answer: str | None) -> None:
    credit_notes.draft(posted, draft_of())
    if answer is not None:
        credit_notes.answer(posted, "S-1", "rejected", "boris", "no", NOW)
    with pytest.raises(DBAPIError, match="nobody approved"):
        raw(posted, NOTE)


def test_an_approval_holds_for_the_bytes_that_were_looked_at(posted: Engine) -> None:
    grant(posted)
    (row,) = outbox.rows(posted, "READY")
    assert (row.operation, row.amount, row.idempotency_key) == (
        "credit_note",
        NOTE.amount,
        NOTE.idempotency_key,
    )
    with pytest.raises(DBAPIError, match=r"nobody approved|does not release"), posted.begin() as db:
        outbox_documents.keep(db, [replace(NOTE, payload=b"other", payload_hash="o")])
        db.execute(update(effects).where(effects.c.outbox_id == row.outbox_id).values(payload_hash="o"))


def test_an_approval_of_a_hash_is_none_of_other_bytes_under_it(posted: Engine) -> None:
    with posted.begin() as db:
        outbox_documents.keep(db, [replace(NOTE, payload=b"other")])
    credit_notes.draft(posted, draft_of())
    with pytest.raises(DBAPIError, match="nobody approved"):
        credit_notes.answer(posted, "S-1", "granted", "boris", "seen", NOW)
    assert outbox.rows(posted, "READY") == []


def test_only_a_posted_invoice_is_credited(engine: Engine) -> None:
    with engine.begin() as db:
        outbox.enqueue(db, effect(), NOW)
    assert credit_notes.draft(engine, draft_of()) is None
    with pytest.raises(PermanentFailure, match="not posted"):
        credit_notes.draft(engine, draft_of(cause="asked", drafted_by="anna"))
    with pytest.raises(DBAPIError, match="not posted"), engine.begin() as db:
        db.execute(insert(drafts).values(**vars(draft_of())))


def test_the_maker_is_no_approver_not_even_for_the_database(posted: Engine) -> None:
    credit_notes.draft(posted, draft_of(cause="asked", drafted_by="anna"))
    with pytest.raises(PermanentFailure, match="cannot answer"):
        credit_notes.answer(posted, "S-1", "granted", "ANNA ", "mine", NOW)
    for name in ("anna", " Anna", " "):
        given = {"answer": "granted", "answered_by": name, "answered_because": "x", "answered_at": NOW}
        with pytest.raises(DBAPIError), posted.begin() as db:
            db.execute(update(drafts).values(**given))
    assert outbox.rows(posted, "READY") == []


def test_an_answer_stands_and_a_draft_is_never_another(posted: Engine) -> None:
    credit_notes.draft(posted, draft_of())
    with pytest.raises(DBAPIError, match="an answer stands"), posted.begin() as db:
        db.execute(update(drafts).values(payload=b"other"))
    with pytest.raises(DBAPIError), posted.begin() as db:
        db.execute(insert(drafts).values(**vars(draft_of(cause_key="POD-1|y"))))
    credit_notes.answer(posted, "S-1", "rejected", "boris", "no", NOW)
    with pytest.raises(DBAPIError, match="an answer stands"), posted.begin() as db:
        db.execute(update(drafts).values(answer="granted"))
    with pytest.raises(DBAPIError, match="append-only"), posted.begin() as db:
        db.execute(delete(drafts))


@pytest.mark.parametrize("stands", ["READY", "SENDING", "HELD", "DEAD", "CANCELLED", "UNKNOWN", "RETRY_WAIT"])
def test_the_next_revision_is_refused_before_the_credit_note_is_posted(posted: Engine, stands: str) -> None:
    with pytest.raises(DBAPIError, match="not credited"):
        raw(posted, SECOND)
    grant(posted)
    way = {"READY": (), "SENDING": ("SENDING",), "CANCELLED": ("CANCELLED",)}
    bring(posted, NOTE.idempotency_key, *way.get(stands, ("SENDING", stands)))
    with pytest.raises(DBAPIError, match="not credited"):
        raw(posted, SECOND)
    with pytest.raises(PermanentFailure, match="is not posted"), posted.begin() as db:
        outbox.enqueue(db, SECOND, NOW)


@pytest.mark.parametrize("stands", [("SENDING", "ACKED"), ("SENDING", "ACKED", "RECONCILED")])
def test_the_next_revision_is_taken_after_it_and_the_one_after_that_is_not(
    posted: Engine, stands: tuple[str, ...]
) -> None:
    grant(posted)
    bring(posted, NOTE.idempotency_key, *stands)
    with posted.begin() as db:
        assert outbox.enqueue(db, SECOND, NOW) == "new"
    with pytest.raises(DBAPIError, match="not credited"):
        raw(posted, effect(revision=3))
    for other in ({"company": "WBAT"}, {"business_id": "other"}, {"destination": "erp_2"}):
        with pytest.raises(DBAPIError, match="not credited"):
            raw(posted, effect(revision=2, **other))


def test_charge_lines_are_set_free_by_a_posted_credit_note_only(posted: Engine) -> None:
    grant(posted)
    (note,) = outbox.rows(posted, "READY")
    for states in ((), ("SENDING",)):
        bring(posted, NOTE.idempotency_key, *states)
        with pytest.raises(DBAPIError, match="bills this line"), posted.begin() as db:
            credit_notes.set_free(db, note)
    bring(posted, NOTE.idempotency_key, "ACKED")
    with posted.begin() as db:
        outbox.enqueue(db, effect(business_id="other", charge_keys=("S-9|1|goods|1",)), NOW)
        credit_notes.set_free(db, note)
        assert list(db.scalars(select(charge_lines.c.charge_key))) == ["S-9|1|goods|1"]


def test_a_credit_note_that_was_refused_is_drafted_and_approved_anew(posted: Engine) -> None:
    grant(posted)
    bring(posted, NOTE.idempotency_key, "SENDING", "DEAD")
    again = draft_of(LATER, cause="asked", cause_key="", drafted_by="anna")
    assert credit_notes.draft(posted, again) is not None
    credit_notes.answer(posted, "S-1", "granted", "boris", "the period was closed", NOW)
    (row,) = outbox.rows(posted, "READY")
    assert row.payload_hash == LATER.payload_hash()
