"""Where an invoice stands is told to those who reach its shipment, whatever their messages name."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from core.clock import utc_now
from core.ids import surrogate_uuid
from state import inbox
from state.inbox import Incoming, Settled
from state.outbox_intake import enqueue_all
from state.outbox_rows import NewEffect
from tests.support.api_world import World, make_world

OURS, THEIRS, NEW = "dispatch_house", "other_house", "SH-new"


def effect(connection: str, number: str, company: str) -> NewEffect:
    return NewEffect(
        company=company, destination="erp_house", operation="invoice", business_id=surrogate_uuid(connection, number),
        revision=1, shipment_no=number, decision_id="d", payload=b"bytes", payload_hash="p", content_hash="c",
        input_hash="i", amount=Decimal("1.10"), currency="EUR", charge_keys=(f"{connection}|{number}",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def billed(_master_key: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """SH-1 of two connections, and one of each that nobody has published yet, each with an invoice."""
    world = make_world(tmp_path_factory.mktemp("billed"))
    with duckdb.connect(str(world.settings.serving)) as copy:
        copy.execute(
            "INSERT INTO fct_shipments (shipment_id, shipment_no, source_system, carrier_id, status) "
            "VALUES ($1, 'SH-1', $2, 'SOUTH', 'completed')",
            [surrogate_uuid(THEIRS, "SH-1"), THEIRS],
        )
    with world.engine.begin() as db:
        effects = [
            effect(name, number, f"{name}/{number}") for name in (OURS, THEIRS) for number in ("SH-1", NEW)
        ]
        enqueue_all(db, effects, utc_now())
        db.exec_driver_sql("UPDATE outbox SET state = 'BLOCKED' WHERE company = 'other_house/SH-1'")
    yield world
    world.gateway.close()


def told(world: World, partner: str, *shipments: str) -> list[dict[str, Any]]:
    """The billing that a partner reads of a message that names shipments, as a vendor's may name any."""
    body = f"{partner} {shipments}".encode()
    (taken,) = inbox.accept(
        world.engine,
        [
            Incoming(
                partner, body.decode(), "webhook", "webhook:motive", "application/json", body, "t", utc_now()
            )
        ],
    )
    (message,) = [each for each in world.waiting() if each.message_id == taken.message_id]
    inbox.settle(world.engine, "run", [Settled(message.message_no, 1, 1, 0, 0, 0, shipments)], utc_now())
    answer = world.client.get(f"/v1/messages/{taken.message_id}", headers=world.key(partner)).json()
    assert answer["shipments"] == list(shipments)
    billing: list[dict[str, Any]] = answer["billing"]
    return billing


@pytest.mark.parametrize(
    ("partner", "states"),
    [
        ("fleet", []),  # named it and reaches nothing
        ("carrier_north", ["READY"]),  # by its carrier: ours alone
        ("carrier_south", ["BLOCKED"]),  # by its carrier: the other of the same number
        ("pod_app", ["READY"]),  # by its connection
        ("erp_house", ["READY"]),  # of its own order
    ],
)
def test_a_message_tells_of_the_invoices_that_its_sender_reaches(
    billed: World, partner: str, states: list[str]
) -> None:
    assert [each["state"] for each in told(billed, partner, "SH-1")] == states


@pytest.mark.parametrize(
    ("partner", "count"), [("dispatch_house", 1), ("pod_app", 1), ("erp_house", 0), ("fleet", 0)]
)
def test_what_is_billed_before_it_is_published_is_its_connection_s(
    billed: World, partner: str, count: int
) -> None:
    assert len(told(billed, partner, NEW)) == count


@pytest.mark.parametrize(("partner", "state"), [("carrier_north", "READY"), ("carrier_south", "BLOCKED")])
def test_a_way_tells_of_the_invoice_of_its_own_shipment(billed: World, partner: str, state: str) -> None:
    answer = billed.client.get("/v1/shipments/SH-1/trace", headers=billed.key(partner)).json()
    assert [each["state"] for each in answer["billing"]] == [state]
