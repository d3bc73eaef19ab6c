"""A posted invoice is corrected by a credit note that two people stand for, and a new invoice after it: on a real ERP."""

import json
import pickle
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activation import corrections
from activation.destinations.base import RefusedError, differences
from activation.destinations.erp_frappe import FrappeDestination
from activation.push import push, recover
from activation.reconcile import reconcile
from contracts.invoice import CreditNoteDocument
from core.clock import utc_now
from core.connections import Connection
from core.errors import PermanentFailure
from core.settings import ROOT, Settings
from core.warehouse import open_warehouse
from orchestration.corrections import approve as approve_credit
from orchestration.platform import Platform
from state import billed, credit_notes, decisions, ledger, outbox
from state.credit_notes import CreditNote
from tests.integration.activation.conftest import NOW, Erp, decision_of
from tests.integration.activation.test_each_invoice_is_posted_once import KILLED, delayed

Rows = list[dict[str, Any]]
Draft = list[CreditNote]
LATER = NOW + timedelta(days=2)
SUBMIT = {"method": "PUT", "path": "Sales Invoice/"}
CREATE = {"method": "POST", "path": "Sales Invoice$"}


@pytest.fixture(autouse=True)
def empty(erp: Erp) -> None:
    """No invoice of another test, whose state store is gone."""
    erp.empty()


@pytest.fixture
def posted(engine: Engine, connection: Connection, released: Rows) -> dict[str, Any]:
    """One posted invoice of its own."""
    assert push(engine, [connection], released[:1]).posted == 1
    return released[0]


def candidate(row: dict[str, Any], **changes: Any) -> dict[str, dict[str, Any]]:
    told = {
        name: row[name]
        for name in ("business_id", "pod_id", "grand_total_amount", "content_hash", "lines_json")
    }
    return {row["business_id"]: told | changes}


def void(engine: Engine, row: dict[str, Any], at: datetime = LATER) -> Draft:
    """The proof of this row is void and nothing stands in its place."""
    gone = candidate(row, pod_id=None, content_hash="v" * 64)
    return corrections.draft_corrections(engine, gone, {row["pod_id"]: {"voided_at": at}}, LATER)


def approve(engine: Engine, row: dict[str, Any]) -> CreditNote:
    return credit_notes.answer(engine, row["shipment_no"], "granted", "boris", "seen the void", utc_now())


def again(engine: Engine, row: dict[str, Any]) -> dict[str, Any]:
    """The shipment delivered anew: released as revision 2."""
    lines = [line | {"charge_key": line["charge_key"][:-1] + "2"} for line in json.loads(row["lines_json"])]
    new = row | {
        "revision": 2, "decision_id": f"{row['decision_id']}-2", "pod_id": "POD-2", "input_hash": "j" * 64,
        "content_hash": "d" * 64, "lines_json": json.dumps(lines),
    }  # fmt: skip
    decisions.record(engine, [decision_of(new, revision=2)])
    return new


def by_operation(engine: Engine) -> Counter[tuple[str, int, str]]:
    return Counter((row.operation, row.revision, row.state) for row in outbox.rows(engine))


def credited_once(erp: Erp, engine: Engine) -> None:
    """One posted credit note in the ERP that is the invoice with its sign turned."""
    notes = [each for each in erp.keyed() if each.get("is_return")]
    assert [each["docstatus"] for each in notes] == [1]
    invoice = erp.whole(notes[0]["return_against"])
    assert Decimal(str(notes[0]["grand_total"])) == -Decimal(str(invoice["grand_total"]))
    lines = erp.whole(notes[0]["name"])["items"]
    assert [line["qty"] for line in lines] == [-line["qty"] for line in invoice["items"]]
    assert by_operation(engine)["credit_note", 1, "ACKED"] == 1
    assert ledger.verify(engine).first_bad is None


def test_a_voided_proof_is_credited_after_an_approval_and_billed_anew_after_that(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any]
) -> None:
    (draft,) = void(engine, posted)
    assert (draft.cause, draft.drafted_by, draft.amount) == ("voided", "gate", -posted["grand_total_amount"])
    push(engine, [connection], [])
    assert by_operation(engine) == {("invoice", 1, "ACKED"): 1}
    assert not [each for each in erp.keyed() if each.get("is_return")]
    approve(engine, posted)
    result = push(engine, [connection], [])
    assert (result.posted, result.failed, result.errors) == (1, 0, [])
    assert result.amount_by_currency == {"EUR": -posted["grand_total_amount"]}
    credited_once(erp, engine)
    assert billed.content_by_business(engine)[posted["business_id"], 1][2] == ()
    assert push(engine, [connection], [again(engine, posted)]).posted == 1
    assert by_operation(engine) == {
        ("invoice", 1, "ACKED"): 1, ("credit_note", 1, "ACKED"): 1, ("invoice", 2, "ACKED"): 1,
    }  # fmt: skip


def test_the_next_revision_waits_for_its_credit_note(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any], released: Rows
) -> None:
    new = again(engine, posted)
    result = push(engine, [connection], [new, released[1]])
    assert (result.posted, result.failed) == (1, 1)
    assert "credit note of revision 1 is not posted" in result.errors[0]
    void(engine, posted)
    approve(engine, posted)
    with engine.begin() as db:
        (note,) = [row for row in outbox.rows(engine) if row.operation == "credit_note"]
        sending = outbox.move(db, note, "SENDING", LATER)
        outbox.move(db, sending, "HELD", LATER, {"last_error": "nobody knows"})
    result = push(engine, [connection], [new])
    assert (result.posted, result.failed, result.held) == (0, 1, 1)
    assert by_operation(engine)["invoice", 2, "READY"] == 0


@pytest.mark.parametrize("kind", ["drop_reply", "apply_then_500", "reset"])
@pytest.mark.parametrize("where", [CREATE, SUBMIT], ids=["create", "submit"])
def test_a_lost_answer_never_makes_a_second_credit_note(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any], kind: str, where: dict[str, Any]
) -> None:
    void(engine, posted)
    approve(engine, posted)
    erp.plant(kind=kind, times=1, **where)
    push(engine, [connection], [])
    erp.heal()
    recover(engine, [connection])
    push(engine, [connection], [])
    credited_once(erp, engine)


@pytest.mark.parametrize("where", [CREATE, SUBMIT], ids=["create", "submit"])
def test_a_killed_push_leaves_one_credit_note(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, posted: dict[str, Any],
    where: dict[str, Any],
) -> None:  # fmt: skip
    void(engine, posted)
    approve(engine, posted)
    before = delayed(erp)
    erp.plant(kind="delay", seconds=30, times=50, **where)
    pusher = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, cwd=ROOT)
    assert pusher.stdin is not None
    pusher.stdin.write(pickle.dumps((settings, [])))
    pusher.stdin.close()
    while delayed(erp) == before:
        assert pusher.poll() is None
    pusher.kill()
    assert pusher.wait() == -signal.SIGKILL
    assert by_operation(engine)["credit_note", 1, "SENDING"] == 1
    erp.heal()
    recover(engine, [connection])
    push(engine, [connection], [])
    credited_once(erp, engine)


def test_the_same_void_read_again_makes_no_second_draft_nor_does_one_before_billing(
    engine: Engine, connection: Connection, posted: dict[str, Any], released: Rows
) -> None:
    assert void(engine, released[1] | {"pod_id": "POD-unbilled"}) == []
    assert len(void(engine, posted)) == 1
    assert void(engine, posted) == []
    credit_notes.answer(engine, posted["shipment_no"], "rejected", "boris", "agreed otherwise", LATER)
    assert void(engine, posted) == []
    assert len(void(engine, posted, LATER + timedelta(hours=1))) == 1
    approve(engine, posted)
    push(engine, [connection], [])
    assert void(engine, posted, LATER + timedelta(hours=2)) == []
    assert credit_notes.waiting(engine) == []


def test_a_proof_with_other_quantities_makes_a_draft_and_one_with_the_same_takes_it_back(
    engine: Engine, posted: dict[str, Any]
) -> None:
    lines = json.loads(posted["lines_json"])
    fewer = [lines[0] | {"quantity": str(Decimal(lines[0]["quantity"]) / 2)}, *lines[1:]]
    other = {"pod_id": "POD-2", "content_hash": "d" * 64}
    same = candidate(posted, **other)
    assert corrections.draft_corrections(engine, same, {}, LATER) == []
    changed = candidate(posted, **other, lines_json=json.dumps(fewer))
    (draft,) = corrections.draft_corrections(engine, changed, {}, LATER)
    assert draft.cause == "superseded"
    assert corrections.draft_corrections(engine, same, {}, LATER) == []
    assert credit_notes.waiting(engine) == []
    with pytest.raises(PermanentFailure, match="0 drafts"):
        approve(engine, posted)


def test_an_approval_looks_again_and_takes_a_draft_back_whose_cause_is_gone(
    erp: Erp, engine: Engine, posted: dict[str, Any]
) -> None:
    assert erp
    (draft,) = void(engine, posted)
    gone = candidate(posted, pod_id=None, content_hash="v" * 64)[posted["business_id"]]
    corrections.confirm(engine, draft, gone, {"voided_at": LATER}, LATER)
    assert credit_notes.waiting(engine) == [draft], "the void stands: the draft waits on"
    with pytest.raises(PermanentFailure, match="Nobody can tell now"):
        corrections.confirm(engine, draft, None, None, LATER)
    assert credit_notes.waiting(engine) == [draft]
    # Delivered again, and equal: there is nothing to be credited any more.
    again = candidate(posted, pod_id="POD-2", content_hash="d" * 64)[posted["business_id"]]
    with pytest.raises(PermanentFailure, match=r"is so no longer.*taken back"):
        corrections.confirm(engine, draft, again, {"voided_at": LATER}, LATER)
    assert credit_notes.waiting(engine) == []
    with pytest.raises(PermanentFailure, match="0 drafts"):
        approve(engine, posted)
    assert ledger.verify(engine).first_bad is None


def test_another_void_than_the_draft_was_made_for_takes_it_back_too(
    erp: Erp, engine: Engine, posted: dict[str, Any]
) -> None:
    assert erp
    (draft,) = void(engine, posted)
    gone = candidate(posted, pod_id=None, content_hash="v" * 64)[posted["business_id"]]
    with pytest.raises(PermanentFailure, match="Something else is"):
        corrections.confirm(engine, draft, gone, {"voided_at": LATER + timedelta(hours=1)}, LATER)
    assert credit_notes.waiting(engine) == []


@pytest.mark.parametrize("when", ["before the look", "during the look"])
def test_an_approval_names_the_invoice_that_no_longer_stands_as_posted(
    erp: Erp, engine: Engine, posted: dict[str, Any], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    assert erp
    (draft,) = void(engine, posted)
    gone = candidate(posted, pod_id=None, content_hash="v" * 64)[posted["business_id"]]

    def differ(*_: Any) -> None:
        with engine.begin() as db:
            outbox.move(db, outbox.rows(engine, "ACKED")[0], "CONFLICT", LATER)

    if when == "during the look":
        monkeypatch.setattr(credit_notes, "refuse_blocked", differ)
    else:
        differ()
    told = {
        "before the look": r"PRECEDING_INVOICE_MISSING.*the invoice is CONFLICT.*waybill reconcile",
        "during the look": rf"The invoice {draft.credited_erp_id} of .* no longer stands as posted.*waybill reconcile",
    }
    with pytest.raises(PermanentFailure, match=told[when]):
        corrections.confirm(engine, draft, gone, {"voided_at": LATER}, LATER)
    assert credit_notes.waiting(engine) == [draft], "it waits on: whether it is to be credited is not known"


def test_the_command_reads_the_warehouse_before_it_approves(
    erp: Erp, engine: Engine, settings: Settings, posted: dict[str, Any]
) -> None:
    assert erp
    void(engine, posted)
    platform, name = Platform(settings), posted["shipment_no"]
    with pytest.raises(PermanentFailure, match="Nobody can tell now"):
        approve_credit(platform, name, "boris", "seen the void")
    with open_warehouse(settings, "test") as warehouse:
        warehouse.execute("CREATE SCHEMA candidates")
        warehouse.execute("CREATE SCHEMA canonical")
        warehouse.execute(
            "CREATE TABLE candidates.invoice_candidates (business_id VARCHAR, pod_id VARCHAR, "
            "grand_total_amount DECIMAL(18, 2), content_hash VARCHAR, lines_json VARCHAR)"
        )
        warehouse.execute("CREATE TABLE canonical.canonical_proofs_of_delivery AS SELECT ? AS pod_id, ? AS voided_at",
                          [posted["pod_id"], LATER])  # fmt: skip
    assert approve_credit(platform, name, "boris", "seen the void").answer == "granted"
    assert by_operation(engine)["credit_note", 1, "READY"] == 1


def test_what_a_person_asked_for_needs_no_look(
    erp: Erp, engine: Engine, settings: Settings, posted: dict[str, Any]
) -> None:
    assert erp
    corrections.ask(engine, posted["shipment_no"], "anna", "wrong price", LATER)
    assert approve_credit(Platform(settings), posted["shipment_no"], "boris", "it is").answer == "granted"


def test_a_person_asks_and_another_one_approves(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any], released: Rows
) -> None:
    with pytest.raises(PermanentFailure, match="0 posted invoices"):
        corrections.ask(engine, released[1]["shipment_no"], "anna", "wrong price", LATER)
    corrections.ask(engine, posted["shipment_no"], "anna", "wrong price", LATER)
    assert corrections.draft_corrections(engine, candidate(posted), {}, LATER) == []
    with pytest.raises(PermanentFailure, match="waits for an answer already"):
        corrections.ask(engine, posted["shipment_no"], "boris", "wrong price", LATER)
    with pytest.raises(PermanentFailure, match="cannot answer it"):
        credit_notes.answer(engine, posted["shipment_no"], "granted", " Anna", "it is right", LATER)
    approve(engine, posted)
    push(engine, [connection], [])
    credited_once(erp, engine)
    with pytest.raises(PermanentFailure, match="is ACKED"):
        corrections.ask(engine, posted["shipment_no"], "anna", "once more", LATER)


def test_a_reconciliation_adds_credit_notes_up_and_misses_one_that_is_gone(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any]
) -> None:
    void(engine, posted)
    approve(engine, posted)
    (before,) = reconcile(engine, [connection])
    day = before.lines[LATER.date().isoformat(), "WBDE", "EUR"]
    assert (day.released, day.acknowledged, day.in_erp) == (1, 0, 0)
    push(engine, [connection], [])
    (done,) = reconcile(engine, [connection])
    assert done.open == []
    day = done.lines[LATER.date().isoformat(), "WBDE", "EUR"]
    assert (
        day.released_amount == day.acknowledged_amount == day.in_erp_amount == -posted["grand_total_amount"]
    )
    assert sum(line.in_erp_amount for line in done.lines.values()) == 0
    assert by_operation(engine)["credit_note", 1, "RECONCILED"] == 1
    (note,) = [each for each in erp.keyed() if each.get("is_return")]
    erp.remove(note["name"])
    (gone,) = reconcile(engine, [connection])
    assert [(each.kind, each.erp_id) for each in gone.open] == [("missing", note["name"])]


def test_the_erp_refuses_a_credit_note_that_does_not_fit(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any]
) -> None:
    assert erp
    (draft,) = void(engine, posted)
    document = CreditNoteDocument.model_validate_json(draft.payload)
    destination = FrappeDestination(connection)
    try:
        wrong = {
            "positive": {"lines": tuple(line.model_copy(update={"quantity": -line.quantity}) for line in document.lines)},
            "not there": {"credited_erp_id": "SINV-0000-00000"},
            "of another currency": {"currency": "SEK"},
        }  # fmt: skip
        for changes in wrong.values():
            with pytest.raises(RefusedError):
                destination.create(document.model_copy(update=changes))
    finally:
        destination.close()


def test_a_credit_note_over_another_invoice_than_was_sent_differs(
    erp: Erp, engine: Engine, connection: Connection, posted: dict[str, Any]
) -> None:
    assert erp
    (draft,) = void(engine, posted)
    approve(engine, posted)
    push(engine, [connection], [])
    document = CreditNoteDocument.model_validate_json(draft.payload)
    destination = FrappeDestination(connection)
    try:
        (found,) = destination.look_up(draft.idempotency_key)
    finally:
        destination.close()
    assert differences(document, found) == []
    elsewhere = replace(found, credited_erp_id="SINV-0000-00000")
    assert "credited invoice" in differences(document, elsewhere)[0]
