"""An invoice under an order key goes after its confirmation, and nothing else waits for either."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from core.settings import Settings
from state import leases, order_keys, outbox
from state.engine import open_state
from state.outbox_intake import enqueue_all
from state.outbox_moves import Move, move_all
from state.outbox_rows import NewEffect, OutboxEntry
from state.transitions import STATES

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=2)
ROADS: dict[str, Sequence[str]] = {
    "READY": (),
    "SENDING": ("SENDING",),
    "UNKNOWN": ("SENDING", "UNKNOWN"),
    "RETRY_WAIT": ("SENDING", "RETRY_WAIT"),
    "BLOCKED": ("BLOCKED",),
    "DEAD": ("SENDING", "DEAD"),
    "HELD": ("SENDING", "HELD"),
    "CONFLICT": ("SENDING", "CONFLICT"),
    "ACKED": ("SENDING", "ACKED"),
    "RECONCILED": ("SENDING", "ACKED", "RECONCILED"),
    "CANCELLED": ("BLOCKED", "CANCELLED"),
}
"""How a row comes into each state."""


def effect(
    operation: str, shipment: str, order_key: str | None = "", destination: str = "erp", revision: int = 1
) -> NewEffect:
    """``order_key`` is the shipment's own unless something else is given."""
    return NewEffect(
        company="WBDE", destination=destination, operation=operation, business_id=shipment, revision=revision,
        shipment_no=shipment, decision_id=f"{operation} {shipment}", payload=b"bytes", payload_hash="p",
        content_hash="c", input_hash="i", amount=Decimal("1.10"), currency="EUR", charge_keys=(),
        order_key=shipment if order_key == "" else order_key,
    )  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Engine:
    return open_state(Settings(home=tmp_path, state_url=state_url))


def enqueued(engine: Engine, *effects: NewEffect) -> list[OutboxEntry]:
    with engine.begin() as db:
        enqueue_all(db, effects, NOW)
    return outbox.of_keys(engine, [each.idempotency_key for each in effects])


def brought(engine: Engine, row: OutboxEntry, state: str) -> OutboxEntry:
    for each in ROADS[state]:
        with engine.begin() as db:
            row = outbox.move(db, row, each, NOW)
    return row


def leased(engine: Engine, destination: str = "erp") -> list[tuple[str, str]]:
    taken = leases.lease(engine, destination, "w", NOW, UNTIL, 10)
    return [(each.operation, each.shipment_no) for each in taken]


def test_every_state_has_a_road() -> None:
    assert set(ROADS) == set(STATES)


@pytest.mark.parametrize("state", STATES)
def test_an_invoice_is_taken_once_its_confirmation_is_over_and_not_before(engine: Engine, state: str) -> None:
    confirmation, invoice = enqueued(engine, effect("fulfilment", "S1"), effect("invoice", "S1"))
    brought(engine, confirmation, state)
    is_over = state in order_keys.OVER
    assert (("invoice", "S1") in leased(engine)) is is_over
    waits = order_keys.waits_for(engine, [invoice])
    assert (invoice.idempotency_key not in waits) is is_over
    if not is_over:
        wait = waits[invoice.idempotency_key]
        assert wait.told == f"waits for the fulfilment of S1, which is {state}"
        assert wait.is_stuck is (state in {"DEAD", "HELD", "CONFLICT"})


def test_a_held_confirmation_stops_its_own_key_alone(engine: Engine) -> None:
    rows = enqueued(
        engine, effect("fulfilment", "S1"), effect("invoice", "S1"), effect("fulfilment", "S2"),
        effect("invoice", "S2"), effect("invoice", "S3", order_key=None),
    )  # fmt: skip
    brought(engine, rows[0], "HELD")
    brought(engine, rows[2], "ACKED")
    assert leased(engine) == [("invoice", "S2"), ("invoice", "S3")]


def test_the_same_shipment_at_another_destination_is_another_key(engine: Engine) -> None:
    elsewhere, _ = enqueued(engine, effect("fulfilment", "S1", destination="other"), effect("invoice", "S1"))
    brought(engine, elsewhere, "ACKED")
    assert leased(engine) == []
    assert not outbox.is_due(engine, "erp", NOW), "what waits for its turn is nothing to wake a push for"


def test_an_invoice_whose_confirmation_was_never_released_says_so(engine: Engine) -> None:
    (invoice,) = enqueued(engine, effect("invoice", "S1"))
    assert leased(engine) == []
    wait = order_keys.waits_for(engine, [invoice])[invoice.idempotency_key]
    assert (wait.told, wait.is_stuck) == (
        "waits for the fulfilment of S1, which was not released yet", False,
    )  # fmt: skip
    (confirmation,) = enqueued(engine, effect("fulfilment", "S1"))
    assert outbox.is_due(engine, "erp", NOW)
    brought(engine, confirmation, "ACKED")
    assert leased(engine) == [("invoice", "S1")]


def test_a_destination_that_takes_no_confirmations_any_more_lets_waiting_invoices_go(engine: Engine) -> None:
    enqueued(engine, effect("invoice", "S1"))
    assert leased(engine) == []
    with engine.begin() as db:
        assert outbox.enqueue(db, effect("invoice", "S1", order_key=None), NOW) == "known"
    assert leased(engine) == [("invoice", "S1")]


def test_the_database_itself_sends_no_invoice_before_its_turn(engine: Engine) -> None:
    confirmation, invoice = enqueued(engine, effect("fulfilment", "S1"), effect("invoice", "S1"))
    with pytest.raises(DBAPIError, match="not acknowledged"), engine.begin() as db:
        move_all(db, [Move(invoice, "SENDING")], NOW)
    brought(engine, confirmation, "ACKED")
    with engine.begin() as db:
        assert move_all(db, [Move(invoice, "SENDING")], NOW) != [None]


def test_a_credit_note_and_a_confirmation_wait_for_nothing(engine: Engine) -> None:
    (confirmation,) = enqueued(engine, effect("fulfilment", "S1"))
    assert order_keys.waits_for(engine, [confirmation]) == {}
    assert leased(engine) == [("fulfilment", "S1")]


def alerts(*revisions: int, exception: str = "X1") -> list[NewEffect]:
    return [effect("exception_alert", exception, revision=each) for each in revisions]


@pytest.mark.parametrize("state", STATES)
def test_a_revision_of_what_is_kept_up_waits_for_those_before_it(engine: Engine, state: str) -> None:
    first, third = enqueued(engine, *alerts(1, 3))
    brought(engine, first, state)
    is_over = state in order_keys.OVER
    taken = leases.lease(engine, "erp", "w", NOW, UNTIL, 10)
    assert (3 in [each.revision for each in taken]) is is_over
    waits = order_keys.waits_for(engine, [third])
    assert (third.idempotency_key not in waits) is is_over
    if not is_over:
        wait = waits[third.idempotency_key]
        assert wait.told == f"waits for the exception_alert of X1, which is {state}"
        assert wait.is_stuck is (state in {"DEAD", "HELD", "CONFLICT"})


def test_revisions_that_nobody_released_and_later_ones_hold_nothing(engine: Engine) -> None:
    second, fourth = enqueued(engine, *alerts(2, 4))
    assert order_keys.waits_for(engine, [second]) == {}, "its first revision never lay here"
    brought(engine, fourth, "BLOCKED")
    assert [each.revision for each in leases.lease(engine, "erp", "w", NOW, UNTIL, 10)] == [2]


def test_an_alert_that_is_stuck_stops_its_own_exception_alone(engine: Engine) -> None:
    rows = enqueued(
        engine, *alerts(1, 2), *alerts(1, exception="X2"), effect("fulfilment", "S1"), effect("invoice", "S1"),
    )  # fmt: skip
    brought(engine, rows[0], "HELD")
    brought(engine, rows[3], "ACKED")
    assert leased(engine) == [("exception_alert", "X2"), ("invoice", "S1")]


def test_the_database_itself_sends_no_revision_before_its_turn(engine: Engine) -> None:
    first, second = enqueued(engine, *alerts(1, 2))
    with pytest.raises(DBAPIError, match="not acknowledged"), engine.begin() as db:
        move_all(db, [Move(second, "SENDING")], NOW)
    brought(engine, first, "ACKED")
    with engine.begin() as db:
        assert move_all(db, [Move(second, "SENDING")], NOW) != [None]


def test_a_document_was_made_once_an_earlier_revision_is_acknowledged(engine: Engine) -> None:
    first, second = enqueued(engine, *alerts(1, 2))
    assert not outbox.was_made_before(engine, second)
    brought(engine, first, "ACKED")
    assert outbox.was_made_before(engine, second)
    assert not outbox.was_made_before(engine, first)
