"""Fault 18: a dry run says what would become of each invoice, and the ERP's server sees no call that changes anything."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from activation import corrections
from activation.destinations.opening import open_destination
from activation.document import document_of, effect_of
from activation.dry_run import Intent, dry_run
from activation.push import push
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.clock import utc_now
from core.connections import Connection
from state import breakers, credit_notes, decisions, kill_switch, leases, outbox
from state.breakers import Trouble
from state.kill_switch import Scope
from state.outbox_intake import enqueue_all
from state.outbox_rows import rows
from state.tables import metadata
from tests.integration.activation.conftest import NOW, Erp, decision_of

Rows = list[dict[str, Any]]


@pytest.fixture
def state_url() -> None:
    """SQLite alone: it writes nothing."""


def told(engine: Engine, connection: Connection, released: Rows) -> list[Intent]:
    return list(dry_run(engine, [connection], released))


def content(engine: Engine) -> dict[str, list[Any]]:
    with engine.connect() as db:
        return {name: list(db.execute(text(f"SELECT * FROM {name}"))) for name in metadata.tables}


def draft_of(engine: Engine, connection: Connection, position: int) -> str:
    """The document of one row of the outbox, made in the ERP and left a draft."""
    with engine.connect() as db:
        row = rows(db)[position]
    destination = open_destination(connection)
    try:
        return destination.create(InvoiceDocument.model_validate_json(row.payload))
    finally:
        destination.close()


def test_it_sends_nothing_and_changes_nothing(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    calls, before = erp.mutating(), content(engine)
    assert [each.action for each in told(engine, connection, released)] == ["create"] * 3
    assert (erp.mutating(), content(engine)) == (calls, before)


def test_what_it_says_is_what_the_push_then_does(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    assert push(engine, [connection], released, limit=1).posted == 1
    draft_of(engine, connection, 1)
    found = told(engine, connection, released)
    assert [each.action for each in found] == ["skip", "post", "create"]
    assert "draft" in found[1].found[0]
    assert push(engine, [connection], released).posted == 2
    assert {each.action for each in told(engine, connection, released)} == {"skip"}
    assert [len(erp.invoices(row.idempotency_key)) for row in outbox.rows(engine)] == [1, 1, 1]


def test_what_differs_in_the_erp_is_held_with_the_difference(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    assert push(engine, [connection], released, limit=1).posted == 1
    (posted,) = erp.invoices(outbox.rows(engine, "ACKED")[0].idempotency_key)
    erp.cancel(posted["name"])
    (first, *_) = told(engine, connection, released)
    assert (first.action, first.why) == ("hold", "it was cancelled in the ERP")
    changed = [{**released[1], "content_hash": "d" * 64}]
    assert told(engine, connection, changed)[0].action == "create"
    again = [{**released[0], "content_hash": "d" * 64}]
    assert (
        told(engine, connection, again)[0].why
        == "it changed after something was sent: a credit note is needed"
    )


def test_what_the_gate_took_back_or_a_switch_stops_is_held(
    engine: Engine, connection: Connection, released: Rows
) -> None:
    decisions.record(engine, [decision_of(released[0], decision_id="newer", input_hash="z" * 64)])
    assert [each.action for each in told(engine, connection, released)] == ["hold", "create", "create"]
    kill_switch.pull(engine, Scope("global"), "anna", "wrong prices", utc_now())
    held = told(engine, connection, released)
    assert {each.action for each in held} == {"hold"}
    assert "anna pulled the kill switch" in held[1].why


def test_an_erp_that_does_not_answer_holds_each_and_a_row_that_is_incomplete_itself_alone(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    erp.plant(kind="status", status=500, times=1, method="GET", path="Sales Invoice$")
    incomplete = {**released[2], "customer_id": None}
    found = told(engine, connection, [*released[:2], incomplete])
    assert [each.action for each in found] == ["hold", "create", "hold"]
    assert "customer_id" in found[2].why


def credited(engine: Engine, row: dict[str, Any]) -> None:
    """Its credit note, drafted and approved."""
    corrections.ask(engine, row["shipment_no"], "anna", "wrong price", NOW)
    credit_notes.answer(engine, row["shipment_no"], "granted", "boris", "it is", NOW)


def test_an_approved_credit_note_is_told_as_the_push_will_send_it(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    assert push(engine, [connection], released[:1]).posted == 1
    assert told(engine, connection, []) == []
    corrections.ask(engine, released[0]["shipment_no"], "anna", "wrong price", NOW)
    assert told(engine, connection, []) == [], "a draft that nobody approved is not sent"
    credit_notes.answer(engine, released[0]["shipment_no"], "granted", "boris", "it is", NOW)
    again = {**released[0], "revision": 2, "decision_id": "second", "content_hash": "d" * 64}
    decisions.record(engine, [decision_of(again, revision=2)])
    calls, before = erp.mutating(), content(engine)
    note, invoice = told(engine, connection, [again])
    assert (erp.mutating(), content(engine)) == (calls, before)
    assert (note.operation, note.action) == ("credit_note", "create")
    assert note.amount == -released[0]["grand_total_amount"]
    assert (invoice.operation, invoice.action) == ("invoice", "hold")
    assert "the credit note of revision 1 is not posted" in invoice.why
    assert push(engine, [connection], []).posted == 1
    assert [each.action for each in told(engine, connection, [again])] == ["create"]


def test_a_credit_note_that_is_there_as_a_draft_or_is_stopped_is_told_so(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    assert push(engine, [connection], released[:2]).posted == 2
    for row in released[:2]:
        credited(engine, row)
    destination = open_destination(connection)
    with engine.connect() as db:
        note = next(row for row in rows(db) if row.operation == "credit_note")
    try:
        destination.create(CreditNoteDocument.model_validate_json(note.payload))
    finally:
        destination.close()
    first, second = told(engine, connection, [])
    assert [first.action, second.action] == ["post", "create"]
    assert "draft" in first.found[0]
    kill_switch.pull(engine, Scope("global"), "anna", "wrong prices", utc_now())
    assert {(each.action, each.operation) for each in told(engine, connection, [])} == {
        ("hold", "credit_note")
    }


def test_an_open_breaker_holds_what_is_not_posted(
    engine: Engine, connection: Connection, released: Rows
) -> None:
    assert push(engine, [connection], released, limit=1).posted == 1
    trouble = Trouble("sandbox_erp", NOW + timedelta(seconds=30), 30, 5)
    breakers.keep(engine, trouble)
    found = list(dry_run(engine, [connection], released, now=lambda: NOW))
    assert [each.action for each in found] == ["skip", "hold", "hold"]
    assert "2026-11-13 17:00:30 UTC" in found[1].why
    later = NOW + timedelta(seconds=30)
    assert [each.action for each in dry_run(engine, [connection], released, now=lambda: later)] == [
        "skip",
        "create",
        "create",
    ]


@pytest.mark.parametrize(("waits_s", "action"), [(21, "hold"), (19, "create")])
def test_what_is_not_due_is_held_until_then(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, waits_s: int, action: str
) -> None:
    erp.plant(kind="status", status=503, retry_after=waits_s, times=1, method="POST", path="Sales Invoice$")
    at = utc_now()
    assert push(engine, [connection], released[:1], patience_s=0.0).failed == 1
    [row] = outbox.rows(engine, "RETRY_WAIT")
    assert row.not_before and row.not_before > at
    now = row.not_before - timedelta(seconds=waits_s)
    (found,) = dry_run(engine, [connection], released[:1], now=lambda: now)
    assert found.action == action
    assert ("not due before" in found.why) == (action == "hold")


def test_what_may_still_take_effect_is_held_where_the_erp_would_take_it_twice(
    engine: Engine, connection: Connection, released: Rows, erp: Erp
) -> None:
    assert connection.destination
    declared = connection.destination.model_copy(update={"enforces_uniqueness": False, "settle_s": 60})
    slow = connection.model_copy(update={"destination": declared})
    erp.plant(kind="reset", times=1, method="POST", path="Sales Invoice$")
    push(engine, [slow], released[:1], patience_s=0.0)
    [row] = outbox.rows(engine, "UNKNOWN")
    early, late = (row.updated_at + timedelta(seconds=each) for each in (39, 41))
    (found,) = dry_run(engine, [slow], released[:1], now=lambda: early)
    assert found.action == "hold" and "may take effect until" in found.why
    assert [each.action for each in dry_run(engine, [slow], released[:1], now=lambda: late)] == ["create"]
    assert told(engine, connection, released[:1])[0].action == "create", "this ERP would refuse it"


def test_what_another_push_has_taken_is_held(
    engine: Engine, connection: Connection, released: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(engine, released[:2])
    until = NOW + timedelta(minutes=2)
    leases.lease(engine, "sandbox_erp", "elsewhere:1:1:x", NOW, until, 1)
    found = list(dry_run(engine, [connection], released, now=lambda: NOW))
    assert [each.action for each in found] == ["hold", "create", "create"]
    assert "elsewhere:1:1:x" in found[0].why
    monkeypatch.setattr("activation.dry_run.is_gone", lambda _: True)
    assert next(iter(dry_run(engine, [connection], released, now=lambda: NOW))).action == "create"


def enqueue(engine: Engine, some: Rows) -> None:
    with engine.begin() as db:
        enqueue_all(db, [effect_of(row, document_of(row)) for row in some], NOW)


def test_one_whose_charge_lines_another_invoice_bills_is_held(
    engine: Engine, connection: Connection, released: Rows
) -> None:
    enqueue(engine, released[:1])
    twice = {**released[0], "business_id": "twice", "decision_id": "twice"}
    decisions.record(engine, [decision_of(twice)])
    own, other = told(engine, connection, [released[0], twice])
    assert (own.action, other.action) == ("create", "hold")
    assert "Another invoice bills" in other.why


@pytest.mark.parametrize(
    ("limit", "told_of"), [(1, ["create", "hold", "hold"]), (2, ["create", "create", "hold"])]
)
def test_with_a_limit_it_says_what_that_push_then_does(
    engine: Engine, connection: Connection, released: Rows, limit: int, told_of: list[str]
) -> None:
    found = list(dry_run(engine, [connection], released, limit))
    assert [each.action for each in found] == told_of
    assert "later push" in found[-1].why
    assert push(engine, [connection], released, limit=limit).posted == limit
    posted = [each.shipment_no for each in found if each.action == "create"]
    assert [row.shipment_no for row in outbox.rows(engine, "ACKED")] == posted
    assert push(engine, [connection], released, limit=3 - limit).posted == 3 - limit


def test_what_is_posted_uses_up_none_of_the_limit(
    engine: Engine, connection: Connection, released: Rows
) -> None:
    assert push(engine, [connection], released, limit=1).posted == 1
    found = [each.action for each in dry_run(engine, [connection], released, 1)]
    assert found == ["skip", "create", "hold"]


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_sends_so_many_and_leaves_the_rest_ready(
    engine: Engine, connection: Connection, released: Rows, limit: int
) -> None:
    assert push(engine, [connection], released, limit=limit).posted == limit
    states = Counter(row.state for row in outbox.rows(engine))
    assert states == {"ACKED": limit, "READY": 3 - limit}
    assert push(engine, [connection], released).posted == 3 - limit
