"""Fault 14 as it is specified: of a thousand invoices the ERP refuses one, and the others are posted once each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.push import push
from core.connections import Connection
from state import decisions, outbox
from tests.integration.activation.conftest import Erp, decision_of

pytestmark = pytest.mark.long
THOUSAND = 1000


@pytest.fixture
def state_url() -> None:
    """SQLite alone: where the state lies changes nothing of what the ERP refuses."""


@pytest.fixture
def thousand(released: list[dict[str, Any]], engine: Engine, erp: Erp) -> Iterator[list[dict[str, Any]]]:
    """The first released row a thousand times over, each with keys of its own."""
    rows = []
    for number in range(THOUSAND):
        lines = json.loads(released[0]["lines_json"])
        for line in lines:
            line["charge_key"] += f"|{number}"
        named = {
            name: f"{released[0][name]}-{number}" for name in ("business_id", "shipment_no", "decision_id")
        }
        rows.append({**released[0], **named, "lines_json": json.dumps(lines)})
    decisions.record(engine, [decision_of(row) for row in rows])
    yield rows
    erp.empty()


def test_14_the_refused_one_is_dead_and_999_are_sent(
    erp: Erp, engine: Engine, connection: Connection, thousand: list[dict[str, Any]]
) -> None:
    thousand[500]["customer_id"] = "NOBODY"
    result = push(engine, [connection], thousand)
    assert (result.posted, result.failed) == (THOUSAND - 1, 1)
    (dead,) = outbox.rows(engine, "DEAD")
    assert dead.shipment_no == thousand[500]["shipment_no"] and "NOBODY" in (dead.last_error or "")
    keys = {row.idempotency_key for row in outbox.rows(engine, "ACKED")}
    posted = [each for each in erp.keyed() if each["custom_waybill_key"] in keys]
    assert len(posted) == len(keys) == THOUSAND - 1
    assert {each["docstatus"] for each in posted} == {1}
