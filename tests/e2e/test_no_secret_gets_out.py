"""Fault 45: a canary in every secret, a whole installation at work, and systems that repeat what they were sent.

What the installation keeps, says and shows is searched, and what its processes are called. That the search would find one
is ``tests/unit/support/test_the_search_for_canaries.py``. Asked to end, ``waybill up`` ends with everything that it started.
"""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from pydantic import SecretStr

from tests.support.canaries import contents, hits
from tests.support.postgres import Server
from tests.support.up import Up, waybill_up, words_of

pytestmark = pytest.mark.long

CONNECTIONS = {
    name: f"canary-{name.lower().replace('_', '-')}-5b1e"
    for name in (
        "SANDBOX_ERP_API_KEY", "SANDBOX_ERP_API_SECRET", "SANDBOX_DISPATCH_TOKEN", "SANDBOX_TELEMATICS_TOKEN",
        "SANDBOX_POD_API_KEY", "SANDBOX_DEPOT_POD_TOKEN", "SANDBOX_WMS_TOKEN", "SANDBOX_TMS_TOKEN",
    )
}  # fmt: skip
PASSWORD, WEBHOOK, MASTER = (
    "canary-of-the-state-7c44",
    "canary-webhook-91c2",
    "canary-master-key-0123456789abcd",
)
ECHOES: dict[str, dict[str, Any]] = {
    "erp": {"method": "POST", "path": "Sales Invoice$", "status": 417, "times": 3},
    "telematics": {"status": 400, "times": 50},
    "wms": {"status": 401, "times": 50},
    "tms": {"status": 200, "times": 50},
    "depot_pod": {"status": 500, "times": 50},
}
"""What repeats the headers that it was sent, and in which kind of answer."""
RUN = "order_to_invoice"


@pytest.fixture
def state_url(postgres: Server) -> Iterator[SecretStr]:
    """The state in PostgreSQL, under an address that has a password."""
    with postgres.database(template=None) as url:
        yield SecretStr(url.get_secret_value().replace("@", f":{PASSWORD}@", 1))


@pytest.fixture
def up(tmp_path: Path, state_url: SecretStr) -> Iterator[Up]:
    own = {
        **CONNECTIONS,
        "WAYBILL_STATE_URL": state_url.get_secret_value(),
        "WAYBILL_SECRETS_KEY": base64.b64encode(MASTER.encode()).decode(),
    }
    with waybill_up(tmp_path, own) as up:
        yield up


def rows_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Every table of the state."""
    with psycopg.connect(url) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in names:
            rows = connection.execute(f'SELECT * FROM "{name}"').fetchall()  # type: ignore[call-overload]
            yield f"state {name}", str(rows).encode()


def pages_of(up: Up, run_id: str, token: str) -> Iterator[tuple[str, bytes]]:
    """What a browser, a partner and Dagster's own pages are answered."""
    key = {"Authorization": f"Bearer {token}"}
    with httpx.Client(timeout=120) as browser:
        for path in (
            "/",
            "/blocked",
            "/waiting",
            "/blocked/POD_MISSING",
            "/metric/pod_to_invoice_s",
            "/nothing-here",
        ):
            yield f"page {path}", browser.get(up.url("dashboard") + path).content
        for path in ("/v1/openapi.json", "/v1/kpis", "/v1/messages/none", "/v1/nothing-here"):
            answer = browser.get(up.url("api") + path, headers=key)
            yield f"API {path}", answer.content + str(dict(answer.headers)).encode()
        wrong = browser.get(up.url("api") + "/v1/kpis", headers={"Authorization": f"Bearer {token}x"})
        yield "API wrong key", wrong.content
    logs = """
        query Logs($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
          __typename ... on MessageEvent { message } ... on ErrorEvent { error { message stack } }
        } } } }
    """
    yield "Dagster's log of the run", json.dumps(up.asked(logs, run=run_id)).encode()
    config = "{ instance { info runLauncher { name } } runsOrError { ... on Runs { results { tags { value } } } } }"
    yield "Dagster's configuration", json.dumps(up.asked(config)).encode()


def commands_of(up: Up) -> Iterator[tuple[str, bytes]]:
    """What commands print."""
    for words in (
        "outbox list --json", "connections list --json", "dead-letter list", "keys list", "keys secrets",
        "push --dry-run", "doctor",
    ):  # fmt: skip
        done = up.waybill(*words.split())
        yield f"waybill {words}", done.stdout + done.stderr


@pytest.mark.timeout(
    1800
)  # a whole installation and a whole run of it, beside whatever else the machine does
def test_45_no_canary_is_found_in_anything_that_is_kept_said_or_shown(
    up: Up, state_url: SecretStr, tmp_path: Path
) -> None:
    made = up.waybill("keys", "create", "sandbox_dispatch", "--scope", "kpis:read", "--json")
    token: str = json.loads(made.stdout)["token"]
    added = up.waybill("keys", "secret-add", "sandbox_dispatch", "motive", said=WEBHOOK.encode())
    assert (made.returncode, added.returncode) == (0, 0), made.stderr + added.stderr
    where = up.sandbox()
    for system, echo in ECHOES.items():
        fault = {"kind": "echo", **echo}
        httpx.post(f"{where[system]}/_sandbox/faults", json=fault).raise_for_status()
    run_id = up.launch(RUN)
    up.finished(RUN, run_id)
    told = dict(rows_of(state_url.get_secret_value()))
    # They did repeat it: else there would be nothing to keep quiet about.
    assert b"authorization: token ***" in told["state push_attempts"].lower()
    assert all(
        f"sandbox_{system}".encode() in told["state observations"] for system in ECHOES if system != "erp"
    )
    searched = [
        *contents(tmp_path),
        *told.items(),
        *pages_of(up, run_id, token),
        *commands_of(up),
        *((f"process {each.pid}", words_of(each).encode()) for each in psutil.process_iter()),
    ]
    canaries = {
        **CONNECTIONS, "WEBHOOK": WEBHOOK, "PASSWORD": PASSWORD, "MASTER": MASTER, "TOKEN": token.split("_", 2)[2],
    }  # fmt: skip
    assert hits(canaries, searched) == []
    assert up.outlived(signal.SIGTERM) == []
