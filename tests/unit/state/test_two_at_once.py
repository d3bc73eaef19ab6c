"""Two processes on one state store: what one does, the other sees or waits for, in either database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from core.settings import Settings
from state import approvals, decisions, ledger, outbox
from state.decisions import Decision
from state.engine import HEAD, open_state
from state.outbox_rows import NewEffect
from tests.support.postgres import Server
from tests.support.rivals import NOW, appends, approves, at_once, opens, takes

EFFECT = NewEffect(
    company="WBDE", destination="erp", operation="invoice", business_id="S-0", revision=1, shipment_no="S",
    decision_id="d", payload=b"{}", payload_hash="p", content_hash="c", input_hash="i",
    amount=Decimal("1.10"), currency="EUR", charge_keys=(),
)  # fmt: skip
HELD = Decision(
    decision_id="d1", business_id="b-1", revision=1, company_id="WBDE", order_no="O1", shipment_no="S1",
    customer_id="C1", verdict="blocked", codes=("VALUE_OVER_LIMIT",), warnings=(),
    reasons=[{"code": "VALUE_OVER_LIMIT", "disposition": "APPROVAL"}], input_hash="i1",
    content_hash="c1", ruleset_version="r1", policy_version="p1", as_of=NOW, decided_at=NOW,
    amount=Decimal("300000.00"), currency="EUR", run_id="run", is_first_evaluation=True,
)  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path, state_url=state_url)


@pytest.fixture
def nothing_yet(
    tmp_path: Path, request: pytest.FixtureRequest, state_url: SecretStr | None
) -> Iterator[Settings]:
    """A home whose database has no table."""
    if state_url is None:
        yield Settings(home=tmp_path)
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database(template=None) as url:
        yield Settings(home=tmp_path, state_url=url)


def test_two_that_start_at_once_make_one_store(nothing_yet: Settings) -> None:
    assert at_once(opens, nothing_yet, "a", "b") == ["a", "b"]
    with open_state(nothing_yet).connect() as db:
        assert db.scalars(text("SELECT version_num FROM alembic_version")).all() == [HEAD]


def test_the_ledger_stays_one_chain(settings: Settings) -> None:
    at_once(appends, settings, "a", "b")
    engine = open_state(settings)
    found = ledger.verify(engine)
    assert (found.rows, found.problem) == (100, None)
    with engine.connect() as db:
        assert set(db.scalars(text("SELECT actor FROM ledger"))) == {"a", "b"}


def test_no_row_is_leased_twice(settings: Settings) -> None:
    with open_state(settings).begin() as db:
        for number in range(60):
            outbox.enqueue(db, replace(EFFECT, business_id=f"S-{number}"), NOW)
    first, second = at_once(takes, settings, "a", "b")
    assert len(first) + len(second) == len({*first, *second}) == 60


def test_one_answer_counts(settings: Settings) -> None:
    engine = open_state(settings)
    decisions.record(engine, [HELD])
    approvals.ask(engine, HELD.key, "anna", "agreed", NOW)
    told = at_once(approves, settings, "boris", "carla")
    assert sorted(each == "answered" for each in told) == [False, True]
    assert any("Nothing about b-1 waits" in each for each in told)
    (granted,) = approvals.granted(engine).values()
    assert granted.answered_by == ("boris", "carla")[told.index("answered")]
