"""The gate is asked when a note is drafted, when it is approved and when it is about to be sent, and its word is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from activation.books import Books
from core.errors import ConfigurationError, PermanentFailure
from core.ids import canonical_json, sha256_hex
from core.settings import Settings
from quality.explain import explain_credit
from state import credit_decisions, credit_gate, credit_notes, leases, outbox, outbox_documents, rulesets
from state.credit_decisions import CreditDecision
from state.engine import open_state, reading
from state.rulesets import Ruleset
from state.tables_of_people import credit_decisions as table
from state.tables_of_people import credit_notes as drafts
from tests.support.approved_rules import let_in
from tests.support.credit_documents import (
    KEY,
    NOTE_KEY,
    NOW,
    bring,
    draft_of,
    effect,
    invoice,
    note,
    post,
)

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def posted(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    post(engine)
    return engine


def kept(engine: Engine) -> list[CreditDecision]:
    with reading(engine) as db:
        return [
            credit_decisions._decision(row) for row in db.execute(select(table).order_by(table.c.sequence))
        ]


def said(engine: Engine) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(each.step, each.verdict, each.codes) for each in kept(engine)]


def grant(engine: Engine) -> None:
    credit_notes.draft(engine, draft_of())
    credit_notes.answer(engine, "S-1", "granted", "boris", "seen", LATER)


def begin(engine: Engine) -> str:
    """The state in which the note is once a push began to send it, or did not."""
    books = Books(engine, "w", lambda: LATER)
    for row in leases.lease(engine, "erp", "w", LATER, LATER + timedelta(minutes=2), 10):
        books.begin([row])
    return outbox.of_keys(engine, [NOTE_KEY])[0].state


def test_a_good_note_passes_at_each_step_and_every_decision_is_kept(posted: Engine) -> None:
    grant(posted)
    assert begin(posted) == "SENDING"
    assert said(posted) == [
        ("draft", "released", ()),
        ("approval", "released", ()),
        ("sending", "released", ()),
    ]
    for each in kept(posted):
        assert each.rules_approved_by is not None
        assert sha256_hex(each.inputs) == each.input_hash


def test_what_a_person_asks_for_is_refused_with_every_reason_and_the_decision_kept(posted: Engine) -> None:
    wrong = draft_of(note(reason=" ", currency="CHF"), cause="asked", drafted_by="anna")
    with pytest.raises(PermanentFailure) as refused:
        credit_notes.draft(posted, wrong)
    for told in ("REASON_MISSING", "TAX_OR_CURRENCY_DIFFERS", "Seen: CHF against EUR", "Expected:", "To do:"):
        assert told in str(refused.value)
    assert credit_notes.waiting(posted) == []
    assert said(posted) == [("draft", "blocked", ("REASON_MISSING", "TAX_OR_CURRENCY_DIFFERS"))]
    # Asked for anew, and right, it is a draft.
    assert credit_notes.draft(posted, draft_of(cause="asked", drafted_by="anna")) is not None


def test_what_waybill_drafts_waits_blocked_and_nobody_can_grant_it(posted: Engine) -> None:
    assert credit_notes.draft(posted, draft_of(note(currency="CHF"))) is not None
    with pytest.raises(PermanentFailure, match="TAX_OR_CURRENCY_DIFFERS"):
        credit_notes.answer(posted, "S-1", "granted", "boris", "seen", LATER)
    (waiting,) = credit_notes.waiting(posted)
    assert waiting.answer is None
    assert [each[:2] for each in said(posted)] == [("draft", "blocked"), ("approval", "blocked")]
    # Whatever is wrong with it, it can be rejected.
    assert credit_notes.answer(posted, "S-1", "rejected", "boris", "wrong", LATER).answer == "rejected"
    assert outbox.rows(posted, "READY") == []


@pytest.mark.parametrize("state", ["CONFLICT"])
def test_an_invoice_that_the_erp_no_longer_holds_so_blocks_the_approval(posted: Engine, state: str) -> None:
    credit_notes.draft(posted, draft_of())
    bring(posted, KEY, state)
    with pytest.raises(PermanentFailure, match=r"PRECEDING_INVOICE_MISSING.*the invoice is CONFLICT"):
        credit_notes.answer(posted, "S-1", "granted", "boris", "seen", LATER)
    bring(posted, KEY, "RECONCILED")
    assert credit_notes.answer(posted, "S-1", "granted", "boris", "seen", LATER).answer == "granted"


def test_an_approved_note_is_judged_again_as_it_is_about_to_be_sent(posted: Engine) -> None:
    grant(posted)
    bring(posted, KEY, "CONFLICT")
    assert begin(posted) == "BLOCKED"
    (row,) = outbox.of_keys(posted, [NOTE_KEY])
    assert row.last_error is not None
    assert "PRECEDING_INVOICE_MISSING" in row.last_error
    assert (row.attempt_count, row.may_exist) == (0, False)
    assert said(posted)[-1] == ("sending", "blocked", ("PRECEDING_INVOICE_MISSING",))
    # Drafted and approved anew once the invoice stands again, it goes.
    bring(posted, KEY, "RECONCILED")
    credit_notes.draft(posted, draft_of(cause="asked", cause_key="", drafted_by="anna"))
    credit_notes.answer(posted, "S-1", "granted", "boris", "seen", LATER)
    assert begin(posted) == "SENDING"


def test_a_reconciled_invoice_is_no_reason_to_stop_a_note(posted: Engine) -> None:
    grant(posted)
    bring(posted, KEY, "RECONCILED")
    assert begin(posted) == "SENDING"


@pytest.fixture
def other_rules(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Ruleset]:
    """Somebody changes the rules of credit notes; the rules as they are then."""

    def change() -> Ruleset:
        content = canonical_json({"rules": [], "judging": {"credit_rules.py": "another"}})
        monkeypatch.setattr(credit_gate, "_content", lambda *_: content)
        return credit_gate.ruleset(credit_gate.load_policy())

    return change


def test_rules_that_changed_after_the_approval_send_nothing(
    posted: Engine, other_rules: Callable[[], Ruleset]
) -> None:
    grant(posted)
    assert (kept(posted)[-1].rules_approved_by or "").startswith("Waybill's release")
    other_rules()
    assert begin(posted) == "BLOCKED"
    assert said(posted)[-1] == ("sending", "blocked", ("RULESET_UNAPPROVED",))
    assert kept(posted)[-1].rules_approved_by is None
    assert "waybill gate approve-rules" in kept(posted)[-1].reasons[-1]["remedy"]


def test_changed_rules_that_two_people_let_in_send_and_are_named(
    posted: Engine, other_rules: Callable[[], Ruleset]
) -> None:
    grant(posted)
    own = other_rules()
    rulesets.propose(posted, own, "anna", "stricter", NOW)
    rulesets.answer(posted, own.version, {"credit_notes": own}, "granted", "boris", "seen", LATER)
    assert begin(posted) == "SENDING"
    newest = kept(posted)[-1]
    assert newest.ruleset_version == own.version
    assert newest.rules_approved_by == f"boris, proposed by anna, {LATER:%Y-%m-%d}"
    assert f"Rules approved by: {newest.rules_approved_by}" in explain_credit(newest)


def test_a_new_store_does_not_take_other_rules_of_credit_notes_than_the_shipped_ones(
    posted: Engine, other_rules: Callable[[], Ruleset]
) -> None:
    other_rules()
    credit_notes.draft(posted, draft_of())
    assert said(posted) == [("draft", "blocked", ("RULESET_UNAPPROVED",))]
    with pytest.raises(PermanentFailure, match="RULESET_UNAPPROVED"):
        credit_notes.answer(posted, "S-1", "granted", "boris", "seen", LATER)


def test_the_database_keeps_no_release_by_rules_that_are_not_in_force(posted: Engine) -> None:
    grant(posted)
    row = vars(kept(posted)[-1]) | {"payload_hash": "another"}
    let_in(posted, "others", "credit_notes")
    with pytest.raises(DBAPIError, match="not by the rules in force"), posted.begin() as db:
        db.execute(insert(table).values(**row))
    with posted.begin() as db:
        db.execute(insert(table).values(**row | {"ruleset_version": "others"}))


def test_a_policy_that_cannot_be_read_stops_notes_and_no_invoice(
    posted: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ConfigurationError("credit_policy.yaml, line 3: unknown field", remedy="Correct it.")

    grant(posted)
    monkeypatch.setattr(credit_gate, "load_policy", broken)
    assert begin(posted) == "BLOCKED"
    (row,) = outbox.of_keys(posted, [NOTE_KEY])
    assert "unknown field" in (row.last_error or "")
    with pytest.raises(ConfigurationError):
        credit_notes.draft(posted, draft_of(cause="asked", cause_key="", drafted_by="anna"))


def test_a_decision_is_kept_once_and_comes_out_equal_when_it_is_evaluated_again(posted: Engine) -> None:
    wrong = draft_of(note(currency="CHF"), cause="asked", drafted_by="anna")
    for _ in range(2):
        with pytest.raises(PermanentFailure):
            credit_notes.draft(posted, wrong)
    credit_notes.draft(posted, draft_of())
    # What came after changes nothing in what was decided before.
    bring(posted, KEY, "CONFLICT")
    found = kept(posted)
    assert [each.verdict for each in found] == ["blocked", "released"]
    for each in found:
        again = credit_decisions.evaluated_again(each)
        assert (again.verdict, again.codes, again.reasons) == (each.verdict, each.codes, each.reasons)
    unlike = replace(found[1], inputs=found[0].inputs)
    assert credit_decisions.evaluated_again(unlike).codes == ("TAX_OR_CURRENCY_DIFFERS",)
    assert "Evaluated again by today's rules: equal" in explain_credit(found[1])
    assert "today's rules: blocked, TAX_OR_CURRENCY_DIFFERS" in explain_credit(unlike)
    assert "of the invoice that it corrects" in explain_credit(found[0])


def test_the_database_takes_no_note_that_the_gate_does_not_release(posted: Engine) -> None:
    blocked, sent = draft_of(note(currency="CHF")), effect(note(currency="CHF"))
    credit_notes.draft(posted, blocked)
    with posted.begin() as db:
        answered = {
            "answer": "granted",
            "answered_by": "boris",
            "answered_because": "x",
            "answered_at": LATER,
        }
        db.execute(update(drafts).values(**answered))
    with pytest.raises(DBAPIError, match="does not release"), posted.begin() as db:
        outbox_documents.keep(db, [sent])
        outbox.enqueue(db, sent, LATER)


def test_the_database_keeps_what_was_decided(posted: Engine) -> None:
    credit_notes.draft(posted, draft_of())
    for statement in (update(table).values(verdict="blocked"), delete(table)):
        with pytest.raises(DBAPIError, match="append-only"), posted.begin() as db:
            db.execute(statement)
    (decision,) = kept(posted)
    for changes in (
        {"codes": ("REASON_MISSING",)}, {"verdict": "blocked"}, {"rules_approved_by": None}, {"step": "never"},
    ):  # fmt: skip
        with pytest.raises(DBAPIError), posted.begin() as db:
            db.execute(insert(table).values(**(vars(decision) | changes)))


def test_what_other_notes_over_the_invoice_credit_counts(posted: Engine) -> None:
    other = draft_of(note(idempotency_key="k" * 64), idempotency_key="k" * 64)
    credit_notes.draft(posted, other)
    with posted.begin() as db:
        answered = {
            "answer": "granted",
            "answered_by": "boris",
            "answered_because": "x",
            "answered_at": LATER,
        }
        db.execute(update(drafts).values(**answered))
    with pytest.raises(PermanentFailure, match="CREDIT_EXCEEDS_INVOICE"):
        credit_notes.draft(posted, draft_of(cause="asked", drafted_by="anna"))
    assert invoice().grand_total_amount == -other.amount
