"""Faults: what the client gets, and whether the server did the work, for every kind."""

import time
from typing import Any

import httpx
import pytest

from tests.support.sandbox import Running

URL = "/api/resource/Sales Invoice"
LINE = {"item_code": "I-1", "qty": 1, "rate": 5}
HEADERS = {"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}


def plan(running: Running, **fault: object) -> None:
    httpx.post(f"{running.url('erp')}/_sandbox/faults", json=fault).raise_for_status()


def post(running: Running, key: str, timeout: float = 10) -> httpx.Response:
    given = {"customer": "C-1", "company": "WBDE", "custom_waybill_key": key, "items": [LINE]}
    return httpx.post(running.url("erp") + URL, json=given, headers=HEADERS, timeout=timeout)


def invoices(running: Running) -> int:
    return len(httpx.get(running.url("erp") + URL, headers=HEADERS).json()["data"])


def counters(running: Running) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{running.url('erp')}/_sandbox/requests").json()
    return found


def test_refused_requests_are_not_applied(running: Running) -> None:
    for status, retry_after in ((429, 7), (503, None), (401, None), (500, None)):
        plan(running, kind="status", status=status, retry_after=retry_after, method="POST")
        answer = post(running, "k")
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == (None if retry_after is None else str(retry_after))
    plan(running, kind="html")
    assert "<form>" in post(running, "k").text
    plan(running, kind="reset")
    with pytest.raises(httpx.TransportError):
        post(running, "k")
    assert invoices(running) == 0


@pytest.mark.parametrize("kind", ["drop_reply", "cut"])
def test_a_lost_answer_was_applied(running: Running, kind: str) -> None:
    plan(running, kind=kind, method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        post(running, "k")
    assert invoices(running) == 1
    assert post(running, "k").status_code == 409


def test_an_error_after_the_work_and_a_truncated_answer_were_applied(running: Running) -> None:
    plan(running, kind="apply_then_500", path="^/api/resource/Sales Invoice$")
    assert post(running, "a").status_code == 500
    plan(running, kind="truncate", method="POST")
    truncated = post(running, "b")
    assert truncated.status_code == 200
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        truncated.json()
    assert invoices(running) == 2


def test_a_delayed_request_is_applied_after_the_client_gave_up(running: Running) -> None:
    plan(running, kind="delay", seconds=1.0, method="POST")
    with pytest.raises(httpx.ReadTimeout):
        post(running, "late", timeout=0.3)
    assert invoices(running) == 0
    deadline = time.monotonic() + 10
    while invoices(running) == 0 and time.monotonic() < deadline:
        pass
    assert invoices(running) == 1


def test_a_fault_hits_only_what_it_names_and_as_often_as_told(running: Running) -> None:
    plan(running, kind="status", status=503, times=2, after=1, path="Sales Invoice$", method="GET")
    listing, other = running.url("erp") + URL, running.url("erp") + "/api/resource/Item"
    assert httpx.get(other, headers=HEADERS).status_code == 200
    assert [httpx.get(listing, headers=HEADERS).status_code for _ in range(4)] == [200, 503, 503, 200]
    assert httpx.get(f"{running.url('erp')}/_sandbox/faults").json() == {"faults": []}


def test_forgotten_faults_do_not_happen_and_nonsense_is_refused(running: Running) -> None:
    url = f"{running.url('erp')}/_sandbox/faults"
    plan(running, kind="status", times=9)
    httpx.delete(url)
    assert post(running, "k").status_code == 200
    for nonsense in ({"kind": "flood"}, {"kind": "html", "path": "("}, {"sort": "html"}, [1]):
        assert httpx.post(url, json=nonsense).status_code == 400


def test_the_counters_tell_mutating_calls_apart(running: Running) -> None:
    invoices(running)
    post(running, "k")
    found = counters(running)
    assert (found["total"], found["mutating"]) == (2, 1)
    assert found["mutating_by_path"] == {f"POST {URL}": 1}
    httpx.delete(f"{running.url('erp')}/_sandbox/requests")
    assert counters(running)["total"] == 0
