"""Whatever is lost on the way, a released row becomes one posted invoice: tried on a real HTTP ERP."""

import pickle
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from activation.attempt import Attempt
from activation.destinations.erp_frappe import FrappeDestination
from activation.push import Pusher, push, recover
from activation.result import PushResult
from core.connections import Connection
from core.settings import ROOT, Settings
from state import attempts, decisions, ledger, outbox
from tests.integration.activation.conftest import NOW, Erp, decision_of
from tests.simulation.erp import Clock

Rows = list[dict[str, Any]]

# Where a call can be lost: which request it is, and how the sandbox loses it.
LOOK_UP = {"method": "GET", "path": "Sales Invoice$"}
CREATE = {"method": "POST", "path": "Sales Invoice$"}
SUBMIT = {"method": "PUT", "path": "Sales Invoice/"}
READ_BACK = {"method": "GET", "path": "Sales Invoice/"}


def posted_once(erp: Erp, engine: Engine, rows: Rows) -> None:
    keys = attempts.all_receipts(engine)
    assert len(keys) == len(rows)
    for row in outbox.rows(engine):
        assert row.state == "ACKED"
        found = erp.invoices(row.idempotency_key)
        assert [each["docstatus"] for each in found] == [1]
        assert Decimal(str(found[0]["grand_total"])) == row.amount
    assert ledger.verify(engine).first_bad is None


def test_a_released_row_becomes_one_posted_invoice(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    result = push(engine, [connection], released)
    assert (result.posted, result.failed, result.errors) == (3, 0, [])
    assert sum(result.amount_by_currency.values()) == sum(row["grand_total_amount"] for row in released)
    posted_once(erp, engine, released)


def test_a_second_push_changes_nothing(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    push(engine, [connection], released)
    before = erp.mutating()
    result = push(engine, [connection], released)
    assert (result.posted, result.already_posted, result.failed) == (0, 3, 0)
    assert erp.mutating() == before


@pytest.mark.parametrize("kind", ["drop_reply", "apply_then_500", "reset"])
@pytest.mark.parametrize(
    "where", [LOOK_UP, CREATE, SUBMIT, READ_BACK], ids=["look_up", "create", "submit", "read"]
)
def test_a_lost_answer_never_makes_a_second_invoice(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, kind: str, where: dict[str, Any]
) -> None:
    erp.plant(kind=kind, times=1, **where)
    push(engine, [connection], released)
    erp.heal()
    recover(engine, [connection])
    push(engine, [connection], released)
    posted_once(erp, engine, released)


KILLED = """
import sys
from core.connections import load_connections
from tests.integration.activation.conftest import invoices_alone
from core.settings import ROOT
from activation.push import push
from state.engine import open_state
import pickle
settings, rows = pickle.loads(sys.stdin.buffer.read())
connections = [invoices_alone(each) for each in load_connections(ROOT / "connections" / "sandbox") if each.destination]
push(open_state(settings), connections, rows)
"""


def delayed(erp: Erp) -> int:
    return int(httpx.get(f"{erp.url}/_sandbox/requests").json()["faulted"].get("delay", 0))


@pytest.mark.parametrize(
    "where", [LOOK_UP, CREATE, SUBMIT, READ_BACK], ids=["look_up", "create", "submit", "read"]
)
def test_a_killed_push_is_finished_by_the_next(
    erp: Erp,
    engine: Engine,
    settings: Settings,
    connection: Connection,
    released: Rows,
    where: dict[str, Any],
) -> None:
    if where is LOOK_UP:
        # The look at all of them before the first begins finds nobody: each is looked up once it has begun.
        erp.plant(kind="reset", times=1, **where)
    before = delayed(erp)
    erp.plant(kind="delay", seconds=30, times=50, **where)
    pusher = subprocess.Popen([sys.executable, "-c", KILLED], stdin=subprocess.PIPE, cwd=ROOT)
    assert pusher.stdin is not None
    pusher.stdin.write(pickle.dumps((settings, released)))
    pusher.stdin.close()
    while not any(row.state == "SENDING" for row in outbox.rows(engine)) or delayed(erp) == before:
        assert pusher.poll() is None
    pusher.kill()
    pusher.wait()
    erp.heal()
    recover(engine, [connection])
    result = push(engine, [connection], released)
    assert result.failed == 0
    posted_once(erp, engine, released)


KILLED_BEFORE = f"""
import os, signal
from state import attempts
attempts.begin = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
{KILLED}
"""


def test_killed_before_the_attempt_is_committed_nothing_was_sent(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, released: Rows
) -> None:
    """The process dies inside the transaction that begins the attempt, its row already moved in it."""
    before = erp.mutating()
    command = [sys.executable, "-c", KILLED_BEFORE]
    ended = subprocess.run(command, input=pickle.dumps((settings, released)), cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [row.state for row in outbox.rows(engine)] == ["READY"] * 3
    assert erp.mutating() == before
    assert push(engine, [connection], released).failed == 0
    posted_once(erp, engine, released)


@pytest.mark.parametrize("where", [CREATE, SUBMIT, READ_BACK], ids=["create", "submit", "read"])
def test_an_error_that_is_answered_with_200_acknowledges_nothing(
    erp: Erp,
    engine: Engine,
    connection: Connection,
    released: Rows,
    where: dict[str, Any],
) -> None:
    erp.plant(kind="status", status=200, times=1000, **where)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("activation.push.PATIENCE_S", 0.1)
        patch.setattr(Attempt, "reconcile", lambda *_: "UNKNOWN")
        assert push(engine, [connection], released).posted == 0
    assert {row.state for row in outbox.rows(engine)} == {"UNKNOWN"}
    assert attempts.all_receipts(engine) == {}
    erp.heal()
    recover(engine, [connection])
    push(engine, [connection], released)
    posted_once(erp, engine, released)


def test_two_pushers_at_once_post_each_invoice_once(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: push(engine, [connection], released), range(2)))
    push(engine, [connection], released)
    posted_once(erp, engine, released)


@pytest.mark.parametrize(("lifetime_s", "state", "made"), [(0.001, "HELD", 0), (3600, "ACKED", 1)])
def test_what_may_be_there_is_not_sent_again_once_the_erp_has_forgotten_its_key(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, lifetime_s: float, state: str, made: int
) -> None:
    assert connection.destination
    declared = connection.destination.model_copy(update={"key_lifetime_s": lifetime_s})
    forgetful = connection.model_copy(update={"destination": declared})
    erp.plant(kind="reset", times=1, **CREATE)
    push(engine, [forgetful], released[:1])
    erp.heal()
    for _ in range(2):
        recover(engine, [forgetful])
        push(engine, [forgetful], released[:1])
    [row] = outbox.rows(engine)
    assert row.state == state
    assert len(erp.invoices(row.idempotency_key)) == made


def test_what_was_never_sent_is_sent_however_short_keys_live(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    assert connection.destination
    declared = connection.destination.model_copy(update={"key_lifetime_s": 0.001})
    push(engine, [connection.model_copy(update={"destination": declared})], released)
    posted_once(erp, engine, released)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_erp_is_waited_for(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, status: int
) -> None:
    """Our time stands still but where it is set on: what is sent a second too early shows."""
    erp.plant(kind="status", status=status, retry_after=120, times=1000, **CREATE)
    clock, destination = Clock(NOW), FrappeDestination(connection)
    try:
        pusher = Pusher(engine, connection, destination, PushResult(), now=clock)
        pusher.enqueue(released)
        pusher.send_due()
        assert {(row.state, row.not_before) for row in outbox.rows(engine)} == {
            ("RETRY_WAIT", NOW + timedelta(seconds=120))
        }
        erp.heal()
        before = erp.mutating()
        clock.pass_s(119)
        pusher.promote()
        assert (pusher.send_due(), erp.mutating()) == (0, before)
        clock.pass_s(1)
        pusher.promote()
        assert pusher.send_due() == len(released)
    finally:
        destination.close()
    posted_once(erp, engine, released)


def test_a_push_waits_by_itself_for_as_long_as_a_busy_erp_said(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    erp.plant(kind="status", status=503, retry_after=1, times=2, **CREATE)
    result = push(engine, [connection], released)
    assert (result.posted, result.failed) == (3, 0)
    posted_once(erp, engine, released)


def test_wrong_credentials_lose_nothing(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activation.push.PATIENCE_S", 0.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_ERP_API_SECRET", "canary-wrong-secret")
        result = push(engine, [connection], released)
    assert result.failed == 3
    assert "credentials" in result.errors[0]
    assert "canary" not in " ".join(result.errors)
    monkeypatch.setattr("activation.push.PATIENCE_S", 20.0)
    push(engine, [connection], released)
    posted_once(erp, engine, released)


def test_one_refused_row_stops_no_other(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    released[0]["customer_id"] = "NOBODY"
    result = push(engine, [connection], released)
    assert (result.posted, result.failed) == (2, 1)
    assert [row.state for row in outbox.rows(engine, "DEAD")] == ["DEAD"]
    corrected = [
        {**released[0], "customer_id": released[1]["customer_id"], "content_hash": "d" * 64},
        *released[1:],
    ]
    assert push(engine, [connection], corrected).failed == 0
    posted_once(erp, engine, released)


def test_what_the_gate_took_back_is_not_sent(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    decisions.record(
        engine, [decision_of(released[0], decision_id="later", verdict="blocked", codes=("POD_VOIDED",))]
    )
    result = push(engine, [connection], released)
    assert (result.posted, result.blocked_at_recheck) == (2, 1)
    blocked = outbox.rows(engine, "BLOCKED")
    assert len(blocked) == 1
    assert erp.invoices(blocked[0].idempotency_key) == []


def test_what_changed_after_it_was_posted_is_refused(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    push(engine, [connection], released)
    before = erp.mutating()
    changed = [{**released[0], "content_hash": "d" * 64}]
    result = push(engine, [connection], changed)
    assert (result.posted, result.failed) == (0, 1)
    assert "credit note" in result.errors[0]
    assert erp.mutating() == before


def test_an_amount_that_the_erp_sees_otherwise_is_a_conflict(
    engine: Engine, connection: Connection, released: Rows
) -> None:
    released[0]["tax_total_amount"] += Decimal("0.01")
    released[0]["grand_total_amount"] += Decimal("0.01")
    result = push(engine, [connection], released)
    assert (result.posted, result.held) == (2, 1)
    assert "tax total" in (outbox.rows(engine, "CONFLICT")[0].last_error or "")
