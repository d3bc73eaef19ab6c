"""Dagster shows what the worker found: invoices that were posted late, each rule, and a batch that nobody could judge."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest

from activation.result import PushResult
from core.clock import utc_now
from core.settings import Settings
from orchestration import event_batch as module
from orchestration.event_batch import Batch, push_due
from orchestration.event_report import Report, events_of
from quality.gate import EMPTY_BATCH, EMPTY_SUITE, GateResult, RuleResult
from quality.rules import RULES
from state import outbox
from state.engine import open_state
from state.outbox_intake import enqueue_all
from state.outbox_moves import Move, move_all
from state.outbox_rows import NewEffect

FIRST, SECOND = RULES[0].code, RULES[1].code


def effect(number: int) -> NewEffect:
    return NewEffect(
        company="WBDE", destination="erp", operation="invoice", business_id=f"S-{number}", revision=1,
        shipment_no=f"S-{number}", decision_id="d", payload=b"bytes", payload_hash="p", content_hash="c", input_hash="i",
        amount=Decimal("1.10"), currency="EUR", charge_keys=(f"erp|{number}",),
    )  # fmt: skip


@pytest.mark.parametrize(("posted", "colour"), [(2, True), (1, False)])
def test_what_was_posted_late_turns_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, posted: int, colour: bool
) -> None:
    engine = open_state(Settings(home=tmp_path))
    with engine.begin() as db:
        enqueue_all(db, [effect(1), effect(2)], utc_now())

    def push_rows(*_: object, **__: object) -> PushResult:
        for state in ("SENDING", "ACKED"):
            rows = outbox.rows(engine, "READY", "SENDING")[:posted]
            with engine.begin() as db:
                move_all(db, [Move(row, state) for row in rows], utc_now())
        return PushResult()

    monkeypatch.setattr(module, "push_rows", push_rows)
    platform: Any = SimpleNamespace(engine=engine, destinations=[SimpleNamespace(connection="erp")])
    batch = push_due(platform)
    assert (batch.caught_up, batch.unposted) == (posted, 2 - posted)
    made, check = events_of(batch)
    assert isinstance(made, dg.AssetMaterialization) and made.metadata["posted late"].value == posted
    assert isinstance(check, dg.AssetCheckEvaluation)
    assert (check.check_name, check.passed) == ("all_released_are_posted", colour)
    engine.dispose()


def gate(*results: RuleResult, fatal: str | None = None) -> GateResult:
    decision: Any = SimpleNamespace(verdict="released")
    return GateResult(() if fatal else (decision,), results, fatal, "rules", "policy")


def checks(batch: Batch) -> dict[str, bool]:
    return {
        each.check_name: each.passed for each in events_of(batch) if isinstance(each, dg.AssetCheckEvaluation)
    }


def test_each_rule_that_looked_at_anything_is_told() -> None:
    batch = Batch(
        "events_1",
        gates={
            "invoice": gate(
                RuleResult(FIRST, 3, 1), RuleResult(SECOND, 3, 0), RuleResult(RULES[2].code, 0, 0)
            )
        },
    )
    assert checks(batch) == {"batch": True, FIRST.lower(): False, SECOND.lower(): True}


@pytest.mark.parametrize(("fatal", "told"), [(EMPTY_SUITE, {"batch": False}), (EMPTY_BATCH, {})])
def test_a_batch_that_nobody_could_judge_is_red_and_an_empty_one_is_nothing(
    fatal: str, told: dict[str, bool]
) -> None:
    assert checks(Batch("events_1", gates={"invoice": gate(fatal=fatal)})) == told


def test_a_rule_is_told_again_when_it_fails_or_passes_after_that() -> None:
    heard: list[dict[str, bool]] = []
    instance: Any = SimpleNamespace(report_runless_asset_event=lambda event: heard[-1].update(
        {event.check_name: event.passed} if isinstance(event, dg.AssetCheckEvaluation) else {}
    ))  # fmt: skip
    report = Report(instance)
    for failed in (0, 0, 1, 1, 0):
        heard.append({})
        report.tell(Batch("events_1", gates={"invoice": gate(RuleResult(FIRST, 3, failed))}))
    name = FIRST.lower()
    assert [each.get(name) for each in heard] == [True, None, False, False, True]
    assert all(each["batch"] for each in heard)
