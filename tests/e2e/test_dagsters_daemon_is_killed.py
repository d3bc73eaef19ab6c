"""Fault 46: Dagster's daemon, as ``waybill up`` starts it, is killed while a run posts invoices, and again when none is under way.

Nothing is billed twice, the run is marked as failed and launched anew, and whoever watches ``waybill up`` is told. The run's own
process is killed when Dagster is started again, some seconds after its daemon: while it posts or shortly after.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.up import NotYet, Up, patiently, waybill_up

pytestmark = pytest.mark.long

RUN = "order_to_invoice"
DAEMON = "dagster._daemon"
ERP = {"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    with waybill_up(tmp_path) as up:
        yield up


def invoices(up: Up) -> list[dict[str, Any]]:
    """What the ERP holds under keys of Waybill's."""
    answer = httpx.get(
        f"{up.sandbox()['erp']}/api/resource/Sales Invoice",
        params={
            "filters": json.dumps([["custom_waybill_key", "is", "set"]]),
            "fields": '["name", "docstatus", "custom_waybill_key"]', "limit_page_length": "0",
        },
        headers=ERP,
        timeout=30,
    )  # fmt: skip
    found: list[dict[str, Any]] = answer.raise_for_status().json()["data"]
    return found


@patiently
def some_posted(up: Up) -> None:
    if not invoices(up):
        raise NotYet("no invoice is there yet")


@patiently
def said(up: Up, words: str, times: int) -> None:
    if " ".join(up.said.split()).count(words) < times:
        raise NotYet(f"{words!r} is not said")


@patiently
def daemon_is_back(up: Up) -> None:
    up.one(DAEMON)
    told = up.asked('{ instance { daemonHealth { daemonStatus(daemonType: "SCHEDULER") { healthy } } } }')
    if not told["instance"]["daemonHealth"]["daemonStatus"]["healthy"]:
        raise NotYet("the scheduler is not healthy")


@patiently
def launched_anew(up: Up, run_id: str) -> str:
    again = [
        each["runId"]
        for each in up.runs(RUN)
        if {"key": "dagster/parent_run_id", "value": run_id} in each["tags"]
    ]
    if not again:
        raise NotYet("it was not launched anew")
    found: str = again[0]
    return found


@pytest.mark.timeout(2700)  # two whole runs, beside whatever else the machine does
def test_46_no_invoice_is_posted_twice_and_the_run_is_taken_up(up: Up) -> None:
    # Each submission takes a moment: the daemon is killed among them.
    slow = {"kind": "delay", "seconds": 2.0, "times": 500, "method": "PUT", "path": "Sales Invoice/"}
    httpx.post(f"{up.sandbox()['erp']}/_sandbox/faults", json=slow).raise_for_status()
    run_id = up.launch(RUN)
    some_posted(up)
    up.one(DAEMON).kill()
    said(up, "Dagster has ended: its dagster-daemon died (code -9)", 1)
    httpx.delete(f"{up.sandbox()['erp']}/_sandbox/faults").raise_for_status()
    daemon_is_back(up)
    assert up.finished(RUN, run_id) == "FAILURE"
    assert up.finished(RUN, launched_anew(up, run_id)) == "SUCCESS"
    there = invoices(up)
    assert max(Counter(each["custom_waybill_key"] for each in there).values()) == 1
    assert {each["docstatus"] for each in there} == {1}
    rows = json.loads(up.waybill("outbox", "list", "--state", "ACKED", "--json").stdout)
    assert len([each for each in rows if each["operation"] == "invoice"]) == len(there) > 0

    up.one(DAEMON).kill()
    said(up, "Dagster has ended: its dagster-daemon died (code -9)", 2)
    daemon_is_back(up)
    assert invoices(up) == there
    assert up.process.poll() is None
    assert up.outlived(signal.SIGKILL) == []
