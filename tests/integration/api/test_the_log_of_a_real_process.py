"""The API as it is started: each request is one line of the listed fields, and nothing else of it is there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import stamina

from api.request_log import LOGGED
from core.settings import ROOT
from tests.support.api_world import World, cost, make_world

BODY, HEADER, QUERY = "canary-body-4f1a", "canary-header-9d30", "canary-query-c2e7"
_LINE = "INFO waybill.api.requests: "


@pytest.fixture
def own(_master_key: None, tmp_path: Path) -> World:
    return make_world(tmp_path)


def test_a_request_is_a_line_of_the_listed_fields_and_a_canary_is_not_in_it(
    own: World, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, log = own.token("carrier_north"), tmp_path / "api.log"
    own.gateway.close()
    settings = own.settings
    environment = os.environ | {
        "WAYBILL_HOME": str(settings.root),
        "WAYBILL_CONNECTIONS": str(settings.connections_dir),
    }
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "api", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=file, stderr=file,
        )  # fmt: skip
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60.0) as client:
            for attempt in stamina.retry_context(on=httpx.ConnectError, attempts=None, timeout=300.0):
                with attempt:
                    assert process.poll() is None, log.read_text()
                    client.get("/healthz")
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "m-1", "X-More": HEADER}
            sent = cost(basis=BODY)
            answer = client.post("/v1/freight-costs", params={"q": QUERY}, headers=headers, json=sent)
            assert answer.status_code == 202, answer.text
    finally:
        process.terminate()
        process.wait(60)
    said = log.read_text()
    lines = [json.loads(each.partition(_LINE)[2]) for each in said.splitlines() if _LINE in each]
    (line,) = [each for each in lines if each["route"] == "/v1/freight-costs"]
    assert tuple(line) == LOGGED
    assert (line["method"], line["status"], line["partner"]) == ("POST", 202, "carrier_north")
    for canary in (BODY, HEADER, QUERY, token, token.split("_", 2)[2]):
        assert canary not in said
