"""What people decide about an invoice that the push has given up: after a look at the real ERP, and two of them."""

from typing import Any

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError

from activation import operators
from activation.destinations.opening import open_destination
from activation.dry_run import dry_run
from activation.push import push
from contracts.invoice import InvoiceDocument
from core.connections import Connection
from core.errors import PermanentFailure
from state import ledger, outbox, proposals
from state.outbox_rows import OutboxRow, rows
from state.tables import outbox as effects
from state.tables_of_people import outbox_proposals
from tests.integration.activation.conftest import Erp

Rows = list[dict[str, Any]]


@pytest.fixture
def dead(engine: Engine, connection: Connection, released: Rows, erp: Erp) -> OutboxRow:
    """One of three invoices, which the ERP refused; nothing of it is there."""
    erp.plant(kind="status", status=417, times=1, method="POST", path="Sales Invoice$")
    assert push(engine, [connection], released).posted == 2
    return the_one(engine, "DEAD")


def the_one(engine: Engine, state: str) -> OutboxRow:
    with engine.connect() as db:
        (found,) = [row for row in rows(db) if row.state == state]
    return found


def by_hand(connection: Connection, row: OutboxRow, *, posted: bool) -> str:
    """Somebody makes the document under the row's key."""
    destination = open_destination(connection)
    try:
        document = InvoiceDocument.model_validate_json(row.payload)
        erp_id = destination.create(document)
        if posted:
            destination.post(erp_id, document)
    finally:
        destination.close()
    return erp_id


def is_of(row: dict[str, Any], effect: OutboxRow) -> bool:
    return bool(row["business_id"] == effect.business_id)


def propose(engine: Engine, connection: Connection, row: OutboxRow, target: str) -> proposals.Proposal:
    return operators.propose(engine, [connection], row.idempotency_key[:12], target, "anna", "mended")


def confirm(engine: Engine, connection: Connection, row: OutboxRow, by: str = "boris") -> str:
    return operators.confirm(engine, [connection], row.idempotency_key[:12], by, "seen").state


def test_what_was_refused_is_sent_again_once_a_second_person_says_so(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, dead: OutboxRow
) -> None:
    assert propose(engine, connection, dead, "retry").found == []
    assert push(engine, [connection], released).posted == 0
    assert confirm(engine, connection, dead) == "READY"
    assert push(engine, [connection], released).posted == 1
    assert len(erp.invoices(dead.idempotency_key)) == 1


@pytest.mark.parametrize("same", ["anna", " Anna"])
def test_who_proposed_cannot_confirm(
    engine: Engine, connection: Connection, dead: OutboxRow, same: str
) -> None:
    propose(engine, connection, dead, "retry")
    with pytest.raises(PermanentFailure, match="Somebody else"):
        confirm(engine, connection, dead, by=same)
    with pytest.raises(IntegrityError, match="four_eyes"), engine.begin() as db:
        db.execute(update(outbox_proposals).values(confirmed_by=same, confirmed_at=dead.updated_at))
    assert the_one(engine, "DEAD")


def test_what_is_posted_there_is_not_sent_again_but_looked_up(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, dead: OutboxRow
) -> None:
    erp_id = by_hand(connection, dead, posted=True)
    with pytest.raises(PermanentFailure, match=erp_id):
        propose(engine, connection, dead, "retry")
    with pytest.raises(PermanentFailure, match=erp_id):
        propose(engine, connection, dead, "cancel")
    assert propose(engine, connection, dead, "look-up").found[0]["erp_id"] == erp_id
    assert confirm(engine, connection, dead) == "UNKNOWN"
    assert push(engine, [connection], released).failed == 0
    assert {row.state for row in outbox.rows(engine)} == {"ACKED"}
    assert len(erp.invoices(dead.idempotency_key)) == 1


def test_what_is_never_to_be_sent_is_cancelled_when_nothing_of_it_is_there(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, dead: OutboxRow
) -> None:
    draft = by_hand(connection, dead, posted=False)
    with pytest.raises(PermanentFailure, match=draft):
        propose(engine, connection, dead, "cancel")
    erp.delete(draft)
    propose(engine, connection, dead, "cancel")
    refused = push(engine, [connection], released)
    assert (refused.already_posted, refused.cancelled, refused.failed, len(refused.errors)) == (2, 0, 1, 1)
    assert confirm(engine, connection, dead) == "CANCELLED"
    # As it was, and as its sources have it now: neither is sent, neither is a failure.
    changed = [{**row, "content_hash": "d" * 64} if is_of(row, dead) else row for row in released]
    for rows_now in (released, changed):
        told = push(engine, [connection], rows_now)
        assert (told.already_posted, told.posted, told.cancelled, told.failed) == (2, 0, 1, 0)
        assert told.errors == []
        (intent,) = [
            each
            for each in dry_run(engine, [connection], rows_now)
            if each.idempotency_key == dead.idempotency_key
        ]
        assert (intent.action, intent.why) == ("hold", "CANCELLED: anna and boris: seen")
    assert erp.invoices(dead.idempotency_key) == []


def settling(connection: Connection, settle_s: float) -> Connection:
    assert connection.destination is not None
    declared = connection.destination.model_copy(update={"settle_s": settle_s})
    return connection.model_copy(update={"destination": declared})


def test_a_cancellation_is_taken_back_once_what_was_sent_has_settled_and_nothing_is_there(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, dead: OutboxRow
) -> None:
    propose(engine, connection, dead, "cancel")
    assert confirm(engine, connection, dead) == "CANCELLED"
    for target in ("retry", "look-up", "cancel"):
        with pytest.raises(PermanentFailure, match="CANCELLED and cannot become"):
            propose(engine, settling(connection, 0), dead, target)
    with pytest.raises(PermanentFailure, match=r"may still take effect.*Look again after"):
        propose(engine, settling(connection, 3600), dead, "bill-again")
    connection = settling(connection, 0)
    late = by_hand(connection, dead, posted=True)
    with pytest.raises(PermanentFailure, match=rf"{late}.*bill by hand"):
        propose(engine, connection, dead, "bill-again")
    erp.remove(late)
    assert propose(engine, connection, dead, "bill-again").found == []
    late = by_hand(connection, dead, posted=False)
    with pytest.raises(PermanentFailure, match="Propose anew"):
        confirm(engine, connection, dead)
    erp.delete(late)
    assert confirm(engine, connection, dead) == "BLOCKED"
    told = push(engine, [connection], released)
    assert (told.posted, told.already_posted, told.cancelled) == (1, 2, 0)
    assert len(erp.invoices(dead.idempotency_key)) == 1


def test_what_is_held_is_no_less_a_problem_than_before(
    engine: Engine, connection: Connection, released: Rows, dead: OutboxRow
) -> None:
    """The near miss of a cancelled one."""
    with engine.begin() as db:
        for state in ("UNKNOWN", "HELD"):
            db.execute(
                update(effects).where(effects.c.idempotency_key == dead.idempotency_key).values(state=state)
            )
    told = push(engine, [connection], released)
    assert (told.held, told.cancelled, len(told.errors)) == (1, 0, 1)


def test_what_changed_in_the_erp_since_has_to_be_proposed_anew(
    engine: Engine, connection: Connection, erp: Erp, dead: OutboxRow
) -> None:
    propose(engine, connection, dead, "retry")
    draft = by_hand(connection, dead, posted=False)
    with pytest.raises(PermanentFailure, match="Propose anew"):
        confirm(engine, connection, dead)
    assert propose(engine, connection, dead, "retry").found[0]["erp_id"] == draft
    assert confirm(engine, connection, dead) == "READY"


def test_what_goes_on_by_itself_and_what_nobody_knows_is_refused(
    engine: Engine, connection: Connection, dead: OutboxRow
) -> None:
    done = next(row for row in outbox.rows(engine) if row.state == "ACKED")
    with pytest.raises(PermanentFailure, match="ACKED"):
        operators.propose(engine, [connection], done.shipment_no, "retry", "anna", "again")
    with pytest.raises(PermanentFailure, match="0 rows"):
        operators.propose(engine, [connection], "ffffffffffff", "retry", "anna", "again")
    with pytest.raises(PermanentFailure, match="Nothing is proposed"):
        confirm(engine, connection, dead)
    with pytest.raises(PermanentFailure, match="No connection file"):
        operators.propose(engine, [], dead.shipment_no, "retry", "anna", "again")


def test_the_ledger_and_the_list_say_who_what_and_why(
    engine: Engine, connection: Connection, dead: OutboxRow
) -> None:
    propose(engine, connection, dead, "retry")
    (waiting,) = proposals.waiting(engine)
    assert (waiting.from_state, waiting.to_state, waiting.proposed_by) == ("DEAD", "READY", "anna")
    confirm(engine, connection, dead)
    assert proposals.waiting(engine) == []
    with engine.connect() as db:
        told = [
            (row.event, row.actor)
            for row in db.execute(ledger.ledger.select().order_by(ledger.ledger.c.sequence))
            if row.subject == dead.idempotency_key
        ]
    assert told[-3:] == [("proposed", "anna"), ("confirmed", "boris"), ("ready", "boris")]
