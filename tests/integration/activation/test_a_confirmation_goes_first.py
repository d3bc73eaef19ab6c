"""Confirmations against the sandbox's ERP: a delivery note, once, and the invoice only after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.destinations.opening import open_destination
from activation.document import document_of, effect_of
from activation.dry_run import dry_run
from activation.push import push
from activation.reconcile import reconcile
from contracts.fulfilment import NO_CURRENCY
from core.connections import Connection, load_connections
from core.errors import ConfigurationError
from core.settings import ROOT
from state import decisions, outbox
from state.attempts import all_receipts
from tests.integration.activation.conftest import NOW, Erp, decision_of

Rows = list[dict[str, Any]]


@pytest.fixture
def connection(erp: Erp) -> Connection:
    """The sandbox's ERP as its file declares it: it takes confirmations."""
    assert erp
    found = load_connections(ROOT / "connections" / "sandbox")
    return next(each for each in found if each.connection == "sandbox_erp")


@pytest.fixture
def confirmed(released: Rows, engine: Engine) -> Rows:
    """The confirmations of the released invoices, with their decisions."""
    rows = [confirmation_of(row) for row in released]
    decisions.record(
        engine, [decision_of(row, operation="fulfilment", amount=None, currency=None) for row in rows]
    )
    return rows


@pytest.fixture
def destination(connection: Connection) -> Iterator[FrappeDestination]:
    found = FrappeDestination(connection)
    yield found.of("fulfilment")
    found.close()


def confirmation_of(invoice: dict[str, Any]) -> dict[str, Any]:
    kept = ("line_id", "order_line_id", "item_id", "quantity", "uom")
    lines = [{name: line[name] for name in kept} for line in json.loads(invoice["lines_json"])]
    own = {
        "operation": "fulfilment", "decision_id": f"{invoice['decision_id']}-delivered", "delivered_at": NOW,
        "lines_json": json.dumps(lines), "grand_total_amount": None, "currency": None,
    }  # fmt: skip
    return {**invoice, **own}


def key_of(row: dict[str, Any]) -> str:
    return effect_of(row, document_of(row)).idempotency_key


def notes(erp: Erp, row: dict[str, Any]) -> list[dict[str, Any]]:
    return erp.get(
        "Delivery Note", filters=json.dumps([["custom_waybill_key", "=", key_of(row)]]), fields='["*"]'
    )


def states(engine: Engine, *rows: dict[str, Any]) -> list[str]:
    found = outbox.states_of(engine, [key_of(row) for row in rows])
    return [found[key_of(row)] for row in rows]


def test_each_delivery_is_confirmed_and_then_billed(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, confirmed: Rows
) -> None:
    result = push(engine, [connection], [*released, *confirmed])
    assert (result.posted, result.others["fulfilment"].posted, result.errors) == (3, 3, [])
    assert set(result.amount_by_currency) == {"EUR"}
    for invoice, confirmation in zip(released, confirmed, strict=True):
        (note,), (bill,) = notes(erp, confirmation), erp.invoices(key_of(invoice))
        assert (note["docstatus"], note["custom_shipment"]) == (1, invoice["shipment_no"])
        assert note["custom_proof_of_delivery"] == invoice["pod_id"]
        assert Decimal(str(note["total_qty"])) == sum(
            Decimal(line["quantity"]) for line in json.loads(confirmation["lines_json"])
        )
        assert note["custom_posted_at"] < bill["custom_posted_at"], "the delivery is confirmed first"
    again = push(engine, [connection], [*confirmed, *released])
    assert (again.already_posted, again.others["fulfilment"].already_posted) == (3, 3)
    assert all(len(notes(erp, row)) == 1 for row in confirmed)


def test_a_refused_confirmation_stops_the_invoice_of_its_own_shipment_alone(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, confirmed: Rows
) -> None:
    nobody = {**confirmed[0], "customer_id": "nobody of this name"}
    result = push(engine, [connection], [nobody, *confirmed[1:], *released])
    assert states(engine, nobody, *confirmed[1:]) == ["DEAD", "ACKED", "ACKED"]
    assert states(engine, *released) == ["READY", "ACKED", "ACKED"]
    assert (result.posted, result.held, result.others["fulfilment"].failed) == (2, 1, 1)
    assert erp.invoices(key_of(released[0])) == []
    (why,) = [each for each in result.errors if "READY" in each]
    assert "waits for the fulfilment of" in why and "which is DEAD" in why
    (held,) = [each for each in dry_run(engine, [connection], released) if each.action != "skip"]
    assert (held.action, held.shipment_no) == ("hold", released[0]["shipment_no"])
    assert "which is DEAD" in held.why


def test_an_erp_that_takes_no_confirmations_gets_the_invoices_as_before(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, confirmed: Rows
) -> None:
    assert connection.destination is not None
    alone = connection.destination.model_copy(update={"operations": ("invoice",)})
    result = push(engine, [connection.model_copy(update={"destination": alone})], [*confirmed, *released])
    assert (result.posted, result.others, result.errors) == (3, {}, [])
    assert [notes(erp, row) for row in confirmed] == [[], [], []]


def test_a_lost_reply_makes_one_delivery_note(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, confirmed: Rows
) -> None:
    erp.plant(kind="drop_reply", times=1, method="POST", path="Delivery Note$")
    push(engine, [connection], [*confirmed, *released])
    assert states(engine, *confirmed, *released) == ["ACKED"] * 6
    assert [len(notes(erp, row)) for row in confirmed] == [1, 1, 1]


def test_a_draft_that_is_there_is_submitted_and_a_second_one_refused(
    erp: Erp, engine: Engine, connection: Connection, destination: FrappeDestination, confirmed: Rows
) -> None:
    document = document_of(confirmed[0])
    draft = destination.create(document)
    (found,) = destination.look_up(document.idempotency_key)
    assert (found.erp_id, found.status, found.currency) == (draft, "draft", NO_CURRENCY)
    push(engine, [connection], confirmed[:1])
    assert states(engine, confirmed[0]) == ["ACKED"]
    assert [each["name"] for each in notes(erp, confirmed[0])] == [draft]
    with pytest.raises(Exception, match="Duplicate entry"):
        destination.create(document)


def test_reconciliation_counts_confirmations_without_money_and_finds_one_that_is_gone(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, confirmed: Rows
) -> None:
    push(engine, [connection], [*confirmed, *released])
    (done,) = reconcile(engine, [connection])
    own = {key_of(row) for row in [*confirmed, *released]}
    assert [each for each in done.differences if each.idempotency_key in own] == []
    line = done.line(confirmed[0]["posting_date"], "WBDE", NO_CURRENCY)
    assert (line.released, line.acknowledged, line.released_amount, line.in_erp_amount) == (3, 3, 0, 0)
    name = all_receipts(engine)[key_of(confirmed[0])]
    erp._client.put(f"/api/resource/Delivery Note/{name}", json={"docstatus": 2}).raise_for_status()
    (done,) = reconcile(engine, [connection])
    (gone,) = [each for each in done.differences if each.idempotency_key in own]
    assert (gone.kind, gone.shipment_no) == ("missing", confirmed[0]["shipment_no"])


def test_a_changed_quantity_is_a_conflict(
    engine: Engine, connection: Connection, destination: FrappeDestination, confirmed: Rows
) -> None:
    lines = json.loads(confirmed[0]["lines_json"])
    lines[0]["quantity"] = str(Decimal(lines[0]["quantity"]) + 1)
    destination.create(document_of({**confirmed[0], "lines_json": json.dumps(lines)}))
    push(engine, [connection], confirmed[:1])
    assert states(engine, confirmed[0]) == ["CONFLICT"]


def test_tryton_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, connection: Connection
) -> None:
    for name in ("TRYTON_USER", "TRYTON_PASSWORD"):
        monkeypatch.setenv(name, "x")
    tryton = connection.model_copy(
        update={
            "adapter": "tryton",
            "base_url": "http://127.0.0.1:9/db",
            "secrets": {"login": "TRYTON_USER", "password": "TRYTON_PASSWORD"},
        }
    )
    with pytest.raises(ConfigurationError, match="no fulfilment confirmations"):
        open_destination(tryton)
