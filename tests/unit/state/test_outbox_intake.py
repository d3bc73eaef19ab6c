"""Many effects at once come into the outbox as they would one after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select

from core.errors import WaybillError
from core.settings import Settings
from state import ledger, outbox
from state.engine import open_state, reading
from state.outbox_intake import enqueue_all
from state.outbox_rows import NewEffect
from state.tables import charge_lines

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


def effect(number: int, charge: str | None = None) -> NewEffect:
    return NewEffect(
        company="WBDE", destination="erp", operation="invoice", business_id=f"S-{number}", revision=1,
        shipment_no=f"S-{number}", decision_id="d", payload=b"bytes", payload_hash="p", content_hash="c",
        input_hash="i", amount=Decimal("1.10"), currency="EUR", charge_keys=(charge or f"charge-{number}",),
    )  # fmt: skip


ONE, TWO, THREE = effect(1), effect(2), effect(3)
BATCHES = {
    "all new": [ONE, TWO, THREE],
    "one is there": [ONE, effect(9)],
    "one is there with other content": [replace(effect(9), content_hash="other"), ONE],
    "one bills what is billed": [ONE, effect(4, "charge-9"), TWO],
    "two bill the same": [effect(5, "same"), effect(6, "same"), ONE],
    "one comes twice": [ONE, ONE, TWO],
    "a revision that nobody credited": [replace(ONE, revision=2), TWO],
    "none": [],
}


@pytest.fixture
def engines(tmp_path: Path, state_url: SecretStr | None, other_url: SecretStr | None) -> list[Engine]:
    """Two stores in which effect 9 is already."""
    found = []
    for name, url in (("at once", state_url), ("one by one", other_url)):
        engine = open_state(Settings(home=tmp_path / name, state_url=url))
        with engine.begin() as db:
            outbox.enqueue(db, effect(9), NOW)
        found.append(engine)
    return found


def one_by_one(engine: Engine, effects: list[NewEffect]) -> dict[str, str]:
    said: dict[str, str] = {}
    with engine.begin() as db:
        for each in effects:
            try:
                said.setdefault(each.idempotency_key, outbox.enqueue(db, each, NOW))
            except WaybillError as error:
                said[each.idempotency_key] = str(error)
    return said


def stands(engine: Engine) -> object:
    with reading(engine) as db:
        charges = sorted(map(tuple, db.execute(select(charge_lines))))
    rows = [replace(row, outbox_id=0) for row in outbox.rows(engine)]
    found = ledger.verify(engine)
    return sorted(rows, key=lambda row: row.idempotency_key), charges, found.rows, found.problem


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_at_once_is_as_one_by_one(engines: list[Engine], batch: list[NewEffect]) -> None:
    with engines[0].begin() as db:
        said = enqueue_all(db, batch, NOW)
    assert {key: str(answer) for key, answer in said.items()} == one_by_one(engines[1], batch)
    assert stands(engines[0]) == stands(engines[1])


def test_lines_of_a_cancelled_invoice_are_not_told_to_be_credited(engines: list[Engine]) -> None:
    engine = engines[0]
    with pytest.raises(WaybillError, match="Another invoice bills charge-9") as billed, engine.begin() as db:
        outbox.enqueue(db, effect(4, "charge-9"), NOW)
    assert "Credit that invoice" in billed.value.remedy
    (entry,) = outbox.rows(engine)
    with engine.begin() as db:
        outbox.move(db, entry, "CANCELLED", NOW)
        assert outbox.enqueue(db, effect(9), NOW) == "cancelled"
        assert outbox.enqueue(db, replace(effect(9), content_hash="other"), NOW) == "cancelled"
    with (
        pytest.raises(WaybillError, match="S-9, which two people cancelled") as cancelled,
        engine.begin() as db,
    ):
        outbox.enqueue(db, effect(4, "charge-9"), NOW)
    assert "Credit" not in cancelled.value.remedy
