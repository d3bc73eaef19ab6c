"""Fault 17: a kill switch is pulled while a push is going on; at most what is in flight is still sent."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.push import push
from core.clock import utc_now
from core.connections import Connection
from state import kill_switch, outbox
from state.kill_switch import Scope
from tests.integration.activation.conftest import Erp

Rows = list[dict[str, Any]]


@pytest.fixture
def one_by_one(connection: Connection) -> Connection:
    assert connection.destination
    alone = connection.destination.model_copy(update={"max_concurrency": 1})
    return connection.model_copy(update={"destination": alone})


def states(engine: Engine) -> Counter[str]:
    return Counter(row.state for row in outbox.rows(engine))


def release(engine: Engine, scope: Scope) -> None:
    for person in ("boris", "carla"):
        kill_switch.release(engine, scope, person, "mended", utc_now())


def test_pulled_in_the_middle_only_the_one_in_flight_is_sent(
    engine: Engine, one_by_one: Connection, released: Rows, erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = FrappeDestination.create

    def pulled_meanwhile(self: FrappeDestination, document: Any) -> str:
        kill_switch.pull(engine, Scope("global"), "anna", "wrong prices", utc_now())
        return create(self, document)

    monkeypatch.setattr(FrappeDestination, "create", pulled_meanwhile)
    result = push(engine, [one_by_one], released)
    assert states(engine) == {"ACKED": 1, "READY": 2}
    assert (result.posted, result.failed) == (1, 2)
    assert all("anna pulled the kill switch" in each for each in result.errors)
    assert len([row for row in outbox.rows(engine) if erp.invoices(row.idempotency_key)]) == 1


@pytest.mark.parametrize(
    "scope", [Scope("global"), Scope("destination", "sandbox_erp"), Scope("company", "WBDE")]
)
def test_while_it_is_pulled_no_byte_is_sent_and_after_that_each_is_posted_once(
    engine: Engine, connection: Connection, released: Rows, erp: Erp, scope: Scope
) -> None:
    kill_switch.pull(engine, scope, "anna", "wrong prices", utc_now())
    before = erp.mutating()
    result = push(engine, [connection], released)
    assert erp.mutating() == before
    assert (result.posted, states(engine)) == (0, {"READY": 3})
    release(engine, scope)
    assert push(engine, [connection], released).posted == 3
    assert [len(erp.invoices(row.idempotency_key)) for row in outbox.rows(engine)] == [1, 1, 1]


@pytest.mark.parametrize("scope", [Scope("destination", "another_erp"), Scope("company", "WBPT")])
def test_a_switch_for_something_else_stops_nothing(
    engine: Engine, connection: Connection, released: Rows, scope: Scope
) -> None:
    kill_switch.pull(engine, scope, "anna", "wrong prices", utc_now())
    assert push(engine, [connection], released).posted == 3
