"""Whatever is lost on the way, a released row becomes one posted invoice in a real Tryton, with and without unique references."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from activation import corrections
from activation.destinations.base import UncertainError
from activation.destinations.erp_tryton import TrytonDestination
from activation.document import document_of
from activation.push import push, recover
from activation.reconcile import reconcile
from core.clock import utc_now
from core.connections import Connection
from core.tryton import encoded
from state import credit_notes, outbox
from tests.erp.conftest import DAY, NOW, Rows, posted_once, release
from tests.support.proxy import Proxy
from tests.support.tryton_client import Clerk

one_of_both = pytest.mark.parametrize("is_unique", [True], ids=["unique"], indirect=True)
"""For what has nothing to do with whether references are unique."""
CREATE, POST = "model.account.invoice.create", "model.account.invoice.post"


def test_a_released_row_becomes_one_posted_invoice(
    clerk: Clerk, proxy: Proxy, engine: Engine, connection: Connection, released: Rows
) -> None:
    result = push(engine, [connection], released)
    assert (result.posted, result.failed, result.errors) == (1, 0, [])
    posted_once(clerk, engine, released)
    [row] = outbox.rows(engine)
    [found] = clerk.invoices(row.idempotency_key)
    assert found["invoice_date"] == DAY
    assert found["party"] == int(released[0]["customer_id"])
    assert [line["origin"].split(",")[0] for line in found["lines."]] == ["sale.line"] * 2
    assert released[0]["shipment_no"] in found["description"]
    assert push(engine, [connection], released).already_posted == 1
    assert (proxy.count(CREATE), proxy.count(POST)) == (1, 1)
    [compared] = reconcile(engine, [connection])
    assert (compared.reconciled, compared.open) == (1, [])


@pytest.mark.parametrize("kind", ["drop_request", "drop_reply", "answer", "answer_after"])
@pytest.mark.parametrize("where", [CREATE, POST], ids=["create", "post"])
def test_a_lost_answer_never_makes_a_second_invoice(
    clerk: Clerk, proxy: Proxy, engine: Engine, connection: Connection, released: Rows, kind: str, where: str
) -> None:
    proxy.plant(kind, where)
    push(engine, [connection], released)
    recover(engine, [connection])
    push(engine, [connection], released)
    posted_once(clerk, engine, released)


def test_a_second_invoice_under_a_key_is_refused_or_found(
    clerk: Clerk, engine: Engine, connection: Connection, released: Rows, is_unique: bool
) -> None:
    push(engine, [connection], released)
    [row] = outbox.rows(engine)
    [first] = clerk.invoices(row.idempotency_key)
    again = ("account.invoice.copy", [first["id"]], {"reference": f"waybill:{row.idempotency_key}"})
    if is_unique:
        with pytest.raises(AssertionError, match="same Waybill key"):
            clerk.call(*again)
        return
    copies = clerk.call(*again)
    clerk.call("account.invoice.write", copies, {"invoice_date": encoded(DAY)})
    clerk.call("account.invoice.post", copies)
    [compared] = reconcile(engine, [connection])
    mine = [each.kind for each in compared.open if each.idempotency_key == row.idempotency_key]
    assert mine == ["extra"]


@one_of_both
def test_an_invoice_is_reversed_by_one_credit_note(
    clerk: Clerk, proxy: Proxy, engine: Engine, connection: Connection, released: Rows
) -> None:
    push(engine, [connection], released)
    [invoice] = outbox.rows(engine)
    note = corrections.ask(engine, released[0]["shipment_no"], "anna", "wrong customer", NOW)
    credit_notes.answer(engine, released[0]["shipment_no"], "granted", "boris", "seen", utc_now())
    proxy.plant("drop_reply", POST)
    push(engine, [connection], [])
    recover(engine, [connection])
    push(engine, [connection], [])
    assert {row.state for row in outbox.rows(engine)} == {"ACKED"}
    [billed], [credited] = clerk.invoices(invoice.idempotency_key), clerk.invoices(note.idempotency_key)
    assert (credited["state"], credited["total_amount"]) == ("posted", -billed["total_amount"])
    assert credited["origin_invoices"] == [billed["id"]]
    assert [each["quantity"] for each in credited["lines."]] == [
        -each["quantity"] for each in billed["lines."]
    ]


@one_of_both
def test_half_cents_of_tax_are_what_was_released(
    clerk: Clerk, engine: Engine, connection: Connection, request: pytest.FixtureRequest
) -> None:
    """19 % of 1.50 is 0.285: Tryton alone would round it to the even cent."""
    rows = release(engine, [clerk.order([("PALLET", "1", "1.50")])], clerk, request)
    assert rows[0]["tax_total_amount"] in {Decimal("0.28"), Decimal("0.29")}
    rows[0] |= {"tax_total_amount": Decimal("0.29"), "grand_total_amount": Decimal("1.79")}
    assert push(engine, [connection], rows).posted == 1
    posted_once(clerk, engine, rows)


@one_of_both
def test_another_total_is_a_conflict_and_stays_a_draft(
    clerk: Clerk, engine: Engine, connection: Connection, released: Rows
) -> None:
    released[0]["tax_total_amount"] += Decimal("0.01")
    released[0]["grand_total_amount"] += Decimal("0.01")
    assert push(engine, [connection], released).held == 1
    [row] = outbox.rows(engine, "CONFLICT")
    assert "tax total" in (row.last_error or "")
    assert [each["state"] for each in clerk.invoices(row.idempotency_key)] == ["draft"]


@one_of_both
def test_what_the_gate_has_judged_is_acknowledged(
    clerk: Clerk, engine: Engine, connection: Connection, released: Rows
) -> None:
    """Tryton asks whether a date in the future is meant."""
    released[0]["posting_date"] = date(utc_now().year + 1, 1, 5)
    assert push(engine, [connection], released).posted == 1
    posted_once(clerk, engine, released)


@one_of_both
def test_what_tryton_refuses_is_told_and_the_draft_is_there(
    clerk: Clerk, engine: Engine, connection: Connection, released: Rows, request: pytest.FixtureRequest
) -> None:
    """An invoice older than the last one that was numbered."""
    push(engine, [connection], released)
    late = release(engine, [clerk.order([("BOOK", "1", "8.40")])], clerk, request)
    late[0]["posting_date"] = DAY - timedelta(days=3)
    assert push(engine, [connection], late).failed == 1
    [row] = outbox.rows(engine, "DEAD")
    assert "invoice date" in (row.last_error or "")
    assert [each["state"] for each in clerk.invoices(row.idempotency_key)] == ["draft"]


@one_of_both
def test_a_draft_that_cannot_be_read_back_may_be_there(
    clerk: Clerk, proxy: Proxy, engine: Engine, connection: Connection, released: Rows
) -> None:
    """The look at it is what was not done: that proves nothing of the draft."""
    document = document_of(released[0])
    proxy.plant("answer", '"id","=",')
    destination = TrytonDestination(connection)
    with pytest.raises(UncertainError):
        destination.create(document)
    destination.close()
    assert [each["state"] for each in clerk.invoices(document.idempotency_key)] == ["draft"]
    assert push(engine, [connection], released).posted == 1
    assert proxy.count(CREATE) == 1
    posted_once(clerk, engine, released)


@one_of_both
def test_a_customer_that_tryton_does_not_know_leaves_nothing(
    clerk: Clerk, engine: Engine, connection: Connection, released: Rows
) -> None:
    released[0]["customer_id"] = "99999"
    assert push(engine, [connection], released).failed == 1
    [row] = outbox.rows(engine, "DEAD")
    assert clerk.invoices(row.idempotency_key) == []


@one_of_both
def test_a_session_that_is_over_is_begun_anew(
    clerk: Clerk, proxy: Proxy, engine: Engine, connection: Connection, released: Rows
) -> None:
    proxy.plant("answer", CREATE, status=401)
    proxy.plant("answer", POST, status=401)
    assert push(engine, [connection], released).posted == 1
    posted_once(clerk, engine, released)
