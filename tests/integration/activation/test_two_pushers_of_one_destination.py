"""Two processes that push to one ERP: together they keep to what it allows, and both go by the same connection file or one is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, select

from activation.push import push, recover
from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import ROOT, Settings
from state import outbox
from state.engine import reading
from state.tables import ledger
from tests.integration.activation.conftest import Erp
from tests.integration.activation.test_each_invoice_is_posted_once import posted_once
from tests.support.proxy import Proxy, running_proxy

Rows = list[dict[str, Any]]
CREATE = "POST /api/resource/Sales Invoice"
PUSHER = """
import pickle, sys
from activation.push import push
from state.engine import open_state
settings, connection, rows = pickle.loads(sys.stdin.buffer.read())
push(open_state(settings), [connection], rows)
"""


@pytest.fixture
def proxy(erp: Erp) -> Iterator[Proxy]:
    with running_proxy(erp.url) as proxy:
        yield proxy


def declared(connection: Connection, proxy: Proxy, **more: Any) -> Connection:
    assert connection.destination
    destination = connection.destination.model_copy(update=more)
    return connection.model_copy(update={"base_url": proxy.url, "destination": destination})


@contextmanager
def pushing(
    settings: Settings, connection: Connection, rows: Rows, proxy: Proxy
) -> Iterator[subprocess.Popen[bytes]]:
    """A push in a process of its own, each of its rows created in the ERP and without its answer while the block runs."""
    held = [proxy.plant("hold", CREATE) for _ in rows]
    pusher = subprocess.Popen([sys.executable, "-c", PUSHER], stdin=subprocess.PIPE, cwd=ROOT)
    assert pusher.stdin is not None
    pusher.stdin.write(pickle.dumps((settings, connection, rows)))
    pusher.stdin.close()
    assert all(each.met.wait(60) for each in held)
    try:
        yield pusher
    finally:
        proxy.heal()
        pusher.wait(60)


@pytest.mark.parametrize(("allowed", "posted"), [(2, 0), (3, 1)])
def test_what_one_has_under_way_the_other_does_not_add_to(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, released: Rows, proxy: Proxy,
    allowed: int, posted: int,
) -> None:  # fmt: skip
    """Two are under way, and one more is due: it waits where two are allowed, and goes where three are."""
    both = declared(connection, proxy, max_concurrency=allowed)
    with pushing(settings, both, released[:2], proxy):
        before = erp.mutating()
        found = push(engine, [both], released[2:], patience_s=0.0)
        assert (found.posted, erp.mutating() > before) == (posted, posted > 0)
        assert {row.state for row in outbox.rows(engine)} >= {"SENDING"}
    recover(engine, [both])
    push(engine, [both], released)
    posted_once(erp, engine, released)


def test_other_settings_are_refused_while_a_push_is_under_way_and_taken_once_it_has_ended(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, released: Rows, proxy: Proxy
) -> None:
    first, second = declared(connection, proxy, settle_s=60), declared(connection, proxy, settle_s=1)
    with pushing(settings, first, released[:1], proxy):
        before = erp.mutating()
        for act in (lambda: push(engine, [second], released), lambda: recover(engine, [second])):
            with pytest.raises(ConfigurationError, match=r"settle_s is 1.* here and 60.* there") as refused:
                act()
            assert "same connection file of sandbox_erp" in refused.value.remedy
        assert erp.mutating() == before
        assert push(engine, [first], released[1:2]).posted == 1, "the same settings are welcome"
    recover(engine, [second])
    push(engine, [second], released)
    posted_once(erp, engine, released)
    with reading(engine) as db:
        query = select(ledger.c.detail).where(ledger.c.event == "destination_settings")
        told = list(db.scalars(query.order_by(ledger.c.sequence)))
    assert told[1:] == [{"from": {"settle_s": 60}, "to": {"settle_s": 1}}]


def test_a_push_that_was_killed_keeps_nobody_out(
    erp: Erp, engine: Engine, settings: Settings, connection: Connection, released: Rows, proxy: Proxy
) -> None:
    first, second = (
        declared(connection, proxy, max_concurrency=1),
        declared(connection, proxy, max_concurrency=2),
    )
    with pushing(settings, first, released[:1], proxy) as pusher:
        pusher.kill()
        pusher.wait()
        recover(engine, [second])
        assert push(engine, [second], released).failed == 0
    posted_once(erp, engine, released)
