"""What a network does to single calls, tried on an ERP that takes a key twice: on its own, settling first is what keeps a second
invoice away. Between Waybill and the ERP's process lies a proxy; time is virtual.

Belongs here: faults 4, 6, 9, 10 and 23. Mixed ones are ``test_faults_of_every_kind_at_random``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.push import Pusher, push
from activation.result import PushResult
from core.connections import Connection
from state import decisions, outbox
from tests.integration.activation.conftest import NOW, Erp, decision_of
from tests.simulation.erp import LIFE_S, SETTLE_S, Clock
from tests.support.proxy import Fault, Proxy, running_proxy

Rows = list[dict[str, Any]]
CREATE = "POST /api/resource/Sales Invoice"
POST = "PUT /api/resource/Sales Invoice"
LOOK_UP = "GET /api/resource/Sales Invoice?"
SEEDS = 8


@pytest.fixture
def state_url() -> None:
    """SQLite alone: where the state lies changes nothing on the way to the ERP."""


@pytest.fixture
def proxy(erp: Erp) -> Iterator[Proxy]:
    erp.keep_keys_unique(unique=False)
    with running_proxy(erp.url) as proxy:
        yield proxy


def behind(
    connection: Connection, proxy: Proxy, settle_s: float = SETTLE_S, *, two_step: bool = True
) -> Connection:
    """The ERP's connection, by way of the proxy, to a system that does not refuse a key that it knows."""
    assert connection.destination
    declared = {
        "enforces_uniqueness": False,
        "settle_s": settle_s,
        "two_step": two_step,
        "max_concurrency": 1,
    }
    destination = connection.destination.model_copy(update=declared)
    return connection.model_copy(update={"base_url": proxy.url, "destination": destination})


class Pushing:
    """One pusher, round by round, on a clock that stands still between them."""

    def __init__(self, engine: Engine, connection: Connection, rows: Rows) -> None:
        self.clock, self.engine = Clock(NOW), engine
        self.destination = FrappeDestination(connection)
        self.pusher = Pusher(engine, connection, self.destination, PushResult(), now=self.clock)
        self.pusher.enqueue(rows)

    def after(self, seconds: float) -> None:
        """Another round, so much later."""
        self.clock.pass_s(seconds)
        self.pusher.recover()
        self.pusher.promote()
        self.pusher.send_due()

    def until_done(self) -> None:
        for _ in range(50):
            if self.states <= {"ACKED", "CONFLICT"}:
                return
            self.after(60)
        pytest.fail(f"it stays {self.states}")

    @property
    def states(self) -> set[str]:
        return {row.state for row in outbox.rows(self.engine)}


def posted(erp: Erp, engine: Engine) -> list[int]:
    """How many posted invoices the ERP's own books have under each key."""
    return [
        sum(each["docstatus"] == 1 for each in erp.invoices(row.idempotency_key))
        for row in outbox.rows(engine)
    ]


@pytest.fixture
def begin(engine: Engine) -> Iterator[Any]:
    begun: list[Pushing] = []

    def make(connection: Connection, rows: Rows) -> Pushing:
        begun.append(Pushing(engine, connection, rows))
        return begun[-1]

    yield make
    for each in begun:
        each.destination.close()


def test_the_erp_takes_a_key_twice_when_it_is_told_to(erp: Erp, engine: Engine, released: Rows) -> None:
    """What the tests here stand on; the near miss is the same ERP as it is else."""
    body = {"customer": released[0]["customer_id"], "company": "WBDE", "custom_waybill_key": "k" * 64,
            "items": [{"item_code": erp.get("Item", limit_page_length="1")[0]["name"], "qty": 1, "rate": 1}]}  # fmt: skip
    made = [erp.make(body, docstatus=0)["name"]]
    with pytest.raises(Exception, match="409"):
        erp.make(body, docstatus=0)
    erp.keep_keys_unique(unique=False)
    made.append(erp.make(body, docstatus=0)["name"])
    assert len(erp.invoices("k" * 64)) == 2
    for name in made:
        erp.delete(name)


@pytest.mark.parametrize("two_step", [True, False], ids=["two steps", "one step"])
def test_4_a_timeout_that_was_not_applied_is_one_invoice_after_settle(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any, two_step: bool
) -> None:
    proxy.plant("drop_request", CREATE)
    before, pushing = erp.mutating(), begin(behind(connection, proxy, two_step=two_step), released[:1])
    pushing.after(0)
    assert (pushing.states, erp.mutating()) == ({"UNKNOWN"}, before)
    pushing.after(SETTLE_S - 1)
    assert (pushing.states, erp.mutating()) == ({"UNKNOWN"}, before), "it may still take effect"
    pushing.after(1)
    assert (pushing.states, erp.mutating()) == ({"UNKNOWN"}, before), "it was looked up once"
    pushing.after(1)
    assert pushing.states == {"ACKED"}
    assert posted(erp, engine) == [1]


def late_by(proxy: Proxy, pushing: Pushing, delay_s: float) -> None:
    """Play on while the request that is under way takes so long."""
    step_s = 5.0
    while proxy.underway and delay_s > step_s:
        pushing.after(step_s)
        delay_s -= step_s
    if proxy.underway:
        proxy.arrive()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_6_a_late_request_that_is_applied_after_a_look_up_makes_no_second_invoice(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any, seed: int
) -> None:
    rng = random.Random(seed)
    proxy.plant("late", rng.choice((CREATE, CREATE, POST)))
    pushing = begin(behind(connection, proxy, two_step=bool(seed % 2)), released[:1])
    pushing.after(0)
    late_by(proxy, pushing, rng.uniform(0, LIFE_S))
    pushing.until_done()
    assert pushing.states == {"ACKED"}
    assert posted(erp, engine) == [1]
    assert proxy.count(outbox.rows(engine)[0].idempotency_key) == 1, "it was created once"


def test_6_without_the_settle_rule_the_late_request_makes_a_second_one(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any
) -> None:
    """The control: the look-up alone says that nothing is there."""
    proxy.plant("late", CREATE)
    pushing = begin(behind(connection, proxy, settle_s=0, two_step=False), released[:1])
    pushing.after(0)
    late_by(proxy, pushing, 40)
    assert posted(erp, engine) == [2]


def test_9_what_a_search_does_not_show_yet_is_not_sent_again_before_it_has_settled(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any
) -> None:
    """The invoice is there, its reply was lost, and for 70 seconds the search knows nothing of it."""
    proxy.plant("drop_reply", CREATE)
    lag = proxy.plant("answer", LOOK_UP, times=10_000, status=200, body=b'{"data": []}')
    pushing = begin(behind(connection, proxy), released[:1])
    for _ in range(7):
        pushing.after(10)
        assert pushing.states == {"UNKNOWN"}
    assert 10_000 - lag.times > 3, "it was looked up again and again"
    assert len(erp.invoices(outbox.rows(engine)[0].idempotency_key)) == 1
    proxy.heal()
    pushing.until_done()
    assert pushing.states == {"ACKED"}
    assert posted(erp, engine) == [1]


def test_9_without_the_settle_rule_the_search_lag_makes_a_second_one(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any
) -> None:
    proxy.plant("drop_reply", CREATE)
    proxy.plant("answer", LOOK_UP, times=10_000, status=200, body=b'{"data": []}')
    pushing = begin(behind(connection, proxy, settle_s=0), released[:1])
    for _ in range(7):
        pushing.after(10)
    assert len(erp.invoices(outbox.rows(engine)[0].idempotency_key)) == 2


@pytest.mark.parametrize(
    "answer",
    [Fault("drop_request", LOOK_UP), Fault("answer", LOOK_UP), Fault("answer", LOOK_UP, status=500),
     Fault("answer", LOOK_UP, status=200, body=b"<html>Login</html>")],
    ids=["no answer", "503", "500", "a login page"],
)  # fmt: skip
def test_10_while_the_look_up_is_down_it_stays_unknown(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, proxy: Proxy, begin: Any, answer: Fault
) -> None:
    proxy.plant("drop_reply", CREATE)
    pushing = begin(behind(connection, proxy), released[:1])
    pushing.pusher.send_due()
    proxy.plant(answer.kind, LOOK_UP, times=100_000, status=answer.status, body=answer.body)
    before = erp.mutating()
    for _ in range(24):
        pushing.after(3600)
        assert pushing.states == {"UNKNOWN"}
    assert erp.mutating() == before
    proxy.heal()
    pushing.until_done()
    assert (pushing.states, posted(erp, engine)) == ({"ACKED"}, [1])


def test_23_what_an_older_snapshot_released_is_blocked_and_the_newer_is_sent(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    """The first row's inputs changed between the gate and the push, the second was decided again on the same ones."""
    later = {"as_of": NOW + timedelta(hours=1), "decided_at": NOW + timedelta(hours=1)}
    newer = [decision_of(released[0], decision_id="newer", input_hash="z" * 64, content_hash="d" * 64, **later),
             decision_of(released[1], decision_id="again", **later)]  # fmt: skip
    decisions.record(engine, newer)
    result = push(engine, [connection], released)
    assert (result.posted, result.blocked_at_recheck) == (2, 1)
    [blocked] = outbox.rows(engine, "BLOCKED")
    assert blocked.business_id == released[0]["business_id"]
    assert erp.invoices(blocked.idempotency_key) == []
    current = {**released[0], "decision_id": "newer", "input_hash": "z" * 64, "content_hash": "d" * 64}
    assert push(engine, [connection], [current, *released[1:]]).posted == 1
    assert posted(erp, engine) == [1, 1, 1]
