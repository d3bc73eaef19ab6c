"""Four pushers in processes of their own on one Tryton in PostgreSQL: locks are fought for, answers lost, a pusher killed."""

import pickle
import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine

from activation.push import push, recover
from core.connections import Connection
from core.settings import ROOT, Settings
from state import outbox
from state.engine import open_state
from tests.erp.conftest import EXAMPLES, Rows, posted_once, release
from tests.support.postgres import Server
from tests.support.proxy import Proxy, running_proxy
from tests.support.tryton import NAME, on_postgres
from tests.support.tryton_client import Clerk

CREATE, POST = "model.account.invoice.create", "model.account.invoice.post"
ORDERS = 6
PUSHER = """
import pickle, sys
from activation import backoff, endings, push
from state.engine import open_state
backoff._FIRST_S = endings._LOOK_APART_S = 0.05
settings, connection, rows = pickle.loads(sys.stdin.buffer.read())
push.push(open_state(settings), [connection], rows)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, postgres: Server, is_unique: bool) -> Iterator[str]:
    with on_postgres(tmp_path_factory.mktemp("tryton"), postgres, unique=is_unique) as url:
        yield url


@pytest.fixture(scope="module")
def clerk(url: str) -> Clerk:
    return Clerk(url)


@pytest.fixture(scope="module")
def proxy(url: str) -> Iterator[Proxy]:
    with running_proxy(url) as proxy:
        yield proxy


@pytest.fixture
def settings(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """The state in PostgreSQL too: that is where several pushers belong."""
    with postgres.database() as address:
        yield Settings(
            home=tmp_path_factory.mktemp("home"),
            state_url=SecretStr(address.get_secret_value()),
            connections=EXAMPLES,
        )


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = open_state(settings)
    yield engine
    engine.dispose()


def begin(settings: Settings, connection: Connection, rows: Rows) -> subprocess.Popen[bytes]:
    pusher = subprocess.Popen([sys.executable, "-c", PUSHER], stdin=subprocess.PIPE, cwd=ROOT)
    assert pusher.stdin is not None
    pusher.stdin.write(pickle.dumps((settings, connection, rows)))
    pusher.stdin.close()
    return pusher


def test_each_invoice_is_posted_once_by_four_pushers_of_whom_one_is_killed(
    clerk: Clerk, proxy: Proxy, engine: Engine, settings: Settings, connection: Connection,
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    orders = [clerk.order([("PALLET", "2", "10.50"), ("BOOK", "1", "8.40")]) for _ in range(ORDERS)]
    rows = release(engine, orders, clerk, request)
    held = proxy.plant("hold", CREATE)
    killed = begin(settings, connection, rows)
    assert held.met.wait(60), "the first pusher created nothing"
    killed.kill()
    killed.wait()
    proxy.plant("drop_reply", CREATE)
    proxy.plant("drop_reply", POST)
    proxy.plant("answer_after", POST)
    proxy.plant("drop_request", CREATE)
    pushers = [begin(settings, connection, rows) for _ in range(4)]
    assert [each.wait(120) for each in pushers] == [0] * 4
    recover(engine, [connection])
    result = push(engine, [connection], rows)
    assert (result.failed, result.held, result.errors) == (0, 0, [])
    posted_once(clerk, engine, rows)
    numbers = [
        found["number"] for row in outbox.rows(engine) for found in clerk.invoices(row.idempotency_key)
    ]
    assert len({*numbers}) == ORDERS


def test_a_lock_that_somebody_holds_is_waited_for(
    clerk: Clerk, proxy: Proxy, postgres: Server, engine: Engine, connection: Connection,
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Tryton says 503 and quotes PostgreSQL: proven not to be posted, so nothing has to settle."""
    rows = release(engine, [clerk.order([("PALLET", "2", "10.50")])], clerk, request)
    with psycopg.connect(postgres.url(NAME).get_secret_value()) as other, monkeypatch.context() as patch:
        other.execute("SELECT id FROM ir_sequence_strict FOR UPDATE")
        patch.setattr("activation.push.PATIENCE_S", 0.0)
        assert push(engine, [connection], rows).failed == 1
        [row] = outbox.rows(engine)
        assert (row.state, "503" in (row.last_error or "")) == ("RETRY_WAIT", True)
        assert [each["state"] for each in clerk.invoices(row.idempotency_key)] == ["draft"]
    created = proxy.count(CREATE)
    assert push(engine, [connection], rows).posted == 1
    assert proxy.count(CREATE) == created
    posted_once(clerk, engine, rows)
