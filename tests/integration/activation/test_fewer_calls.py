"""Calls that the push saves are saved without knowing less: tried on a real HTTP ERP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.document import document_of
from activation.push import push
from core.connections import Connection
from state import outbox
from tests.integration.activation.conftest import Erp

Rows = list[dict[str, Any]]


@pytest.fixture
def destination(connection: Connection) -> Iterator[FrappeDestination]:
    found = FrappeDestination(connection)
    yield found
    found.close()


def calls(erp: Erp) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"{erp.url}/_sandbox/requests").json()["by_path"]
    return found


def gets(erp: Erp) -> int:
    """How often invoices were read, in lists and one by one."""
    return sum(
        many for call, many in calls(erp).items() if call.startswith("GET /api/resource/Sales Invoice")
    )


def one_at_a_time(connection: Connection) -> Connection:
    assert connection.destination
    declared = connection.destination.model_copy(update={"max_concurrency": 1})
    return connection.model_copy(update={"destination": declared})


def test_three_new_rows_are_looked_up_in_one_call_and_read_back_in_another(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    before = gets(erp)
    assert push(engine, [one_at_a_time(connection)], released).posted == 3
    assert gets(erp) - before == 1 + 1


def test_each_is_read_back_once_where_they_cannot_be_read_together(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    before = gets(erp)
    erp.plant(kind="status", status=500, times=1, after=1, method="GET", path="Sales Invoice$")
    assert push(engine, [one_at_a_time(connection)], released).posted == 3
    assert gets(erp) - before == 1 + 1 + 3


def test_what_is_read_back_together_is_what_is_read_back_alone(
    destination: FrappeDestination, released: Rows
) -> None:
    documents = [document_of(row) for row in released[:2]]
    ids = [destination.create(each) for each in documents]
    destination.post(ids[0], documents[0])
    found = destination.read_back_all([*ids, "SINV-NONE"])
    assert found == {erp_id: destination.read_back(erp_id) for erp_id in ids}


def test_what_another_home_has_posted_is_found_before_anything_is_created(
    erp: Erp, engine: Engine, connection: Connection, destination: FrappeDestination, released: Rows
) -> None:
    document = document_of(released[0])
    destination.post(destination.create(document), document)
    before = erp.mutating()
    assert push(engine, [connection], released).posted == 3
    # Two are created and submitted; the third is there.
    assert erp.mutating() - before == 4
    assert [len(erp.invoices(row.idempotency_key)) for row in outbox.rows(engine)] == [1, 1, 1]


def test_each_key_is_answered_with_its_own_documents(destination: FrappeDestination, released: Rows) -> None:
    first, second, _ = (document_of(row) for row in released)
    erp_id = destination.create(first)
    found = destination.look_up_all([first.idempotency_key, second.idempotency_key])
    assert {key: [each.erp_id for each in documents] for key, documents in found.items()} == {
        first.idempotency_key: [erp_id],
        second.idempotency_key: [],
    }
    assert found[first.idempotency_key] == destination.look_up(first.idempotency_key)


def test_a_draft_that_somebody_changed_since_it_was_made_is_posted_as_it_is_now(
    erp: Erp, destination: FrappeDestination, released: Rows
) -> None:
    document = document_of(released[0])
    erp_id = destination.create(document)
    changed = httpx.put(
        f"{erp.url}/api/resource/Sales Invoice/{erp_id}",
        json={"po_no": "another"},
        headers={"Authorization": "token sandbox-erp-key:sandbox-erp-secret"},
    )
    changed.raise_for_status()
    destination.post(erp_id, document)
    assert (erp.whole(erp_id)["docstatus"], erp.whole(erp_id)["po_no"]) == (1, "another")
