"""An ERP that posts what is created, in one step: one call an invoice, once, and a draft that lies there is a person's."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.destinations.erp_tryton import TrytonDestination
from activation.document import document_of
from activation.dry_run import dry_run
from activation.push import push
from core.connections import Connection
from core.errors import ConfigurationError
from state import outbox
from tests.integration.activation.conftest import Erp

Rows = list[dict[str, Any]]
PATIENCE_S = 10.0


@pytest.fixture
def at_once(connection: Connection) -> Connection:
    """The sandbox's ERP, declared as one that posts what is created."""
    assert connection.destination
    declared = connection.destination.model_copy(update={"two_step": False})
    return connection.model_copy(update={"destination": declared})


def written(erp: Erp) -> Counter[str]:
    """How often the ERP was asked to change something, by method."""
    asked = httpx.get(f"{erp.url}/_sandbox/requests").json()["by_path"]
    told: Counter[str] = Counter()
    for call, many in asked.items():
        if (method := call.partition(" ")[0]) != "GET" and "Sales Invoice" in call:
            told[method] += many
    return told


def posted(erp: Erp, engine: Engine) -> list[list[int]]:
    """What the ERP holds of each row: the ``docstatus`` of its documents."""
    return [[each["docstatus"] for each in erp.invoices(row.idempotency_key)] for row in outbox.rows(engine)]


def test_each_invoice_is_one_call_that_changes_something(
    erp: Erp, engine: Engine, at_once: Connection, released: Rows
) -> None:
    before = written(erp)
    assert push(engine, [at_once], released).posted == len(released)
    assert written(erp) - before == {"POST": len(released)}
    assert posted(erp, engine) == [[1]] * len(released)


def test_in_two_steps_it_is_two(erp: Erp, engine: Engine, connection: Connection, released: Rows) -> None:
    before = written(erp)
    assert push(engine, [connection], released).posted == len(released)
    assert written(erp) - before == {"POST": len(released), "PUT": len(released)}


def test_a_lost_reply_posts_nothing_twice(
    erp: Erp, engine: Engine, at_once: Connection, released: Rows
) -> None:
    erp.plant(kind="drop_reply", times=1, method="POST", path="Sales Invoice$")
    result = push(engine, [at_once], released, patience_s=PATIENCE_S)
    assert (result.posted, result.failed) == (len(released), 0)
    assert posted(erp, engine) == [[1]] * len(released)


def test_a_draft_that_lies_there_is_neither_posted_nor_made_again(
    erp: Erp, engine: Engine, connection: Connection, at_once: Connection, released: Rows
) -> None:
    other = FrappeDestination(connection)
    other.create(document_of(released[0]))
    other.close()
    intents = {each.shipment_no: each.action for each in dry_run(engine, [at_once], released)}
    assert intents.pop(released[0]["shipment_no"]) == "hold"
    assert set(intents.values()) == {"create"}
    assert push(engine, [at_once], released).held == 1
    states = {row.shipment_no: (row.state, row.last_error) for row in outbox.rows(engine)}
    assert states.pop(released[0]["shipment_no"]) == ("HELD", "it stays a draft")
    assert {state for state, _ in states.values()} == {"ACKED"}
    assert sorted(posted(erp, engine)) == [[0], *([[1]] * (len(released) - 1))]


def test_tryton_is_not_declared_to_post_at_once(at_once: Connection) -> None:
    with pytest.raises(ConfigurationError, match="two steps"):
        TrytonDestination(at_once)
