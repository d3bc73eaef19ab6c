"""Of a backlog more is taken at once, and of few messages few; Dagster is told of what was built and not of each step."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ingestion.events.rests import Rests
from ingestion.events.understanding import Understood
from orchestration import event_batch as module
from orchestration.dbt_runner import NodeResult
from orchestration.event_batch import LEAST, MOST, Batch
from orchestration.event_report import events_of


@pytest.mark.parametrize(
    ("waiting", "most"),
    [(1, LEAST), (4 * LEAST, LEAST), (4 * LEAST + 4, LEAST + 1), (4 * MOST, MOST), (300_000, MOST)],
)
def test_a_batch_grows_with_what_waits(monkeypatch: pytest.MonkeyPatch, waiting: int, most: int) -> None:
    live = SimpleNamespace(connection="crm", lifecycle="production")
    platform: Any = SimpleNamespace(engine=None, settings=None, connections=[live])
    asked: list[int] = []

    def understand(*given: Any) -> Understood:
        asked.append(given[3])
        return Understood(given[2], datetime(2026, 11, 13, tzinfo=UTC))

    monkeypatch.setattr(module, "understand", understand)
    monkeypatch.setattr(module.inbox, "waiting", lambda _: {"crm": waiting, "gone": 9})
    assert module._understood(platform, Batch("events_1"), Rests()) == []
    assert asked == [most]


def test_dagster_is_told_of_models_and_not_of_the_steps_between_them() -> None:
    def built(schema: str, name: str) -> NodeResult:
        return NodeResult(f"model.waybill.{name}", "success", "", 0.1, 0, "select 1", schema, name)

    batch = Batch(
        "events_1",
        models=[
            built("changes_events", "touched"),
            built("canonical", "canonical_shipments"),
            built("candidates", "int_candidate_facts"),
            built("candidates", "invoice_candidates"),
        ],
    )
    told = [event.asset_key.path for event in events_of(batch)]
    assert told == [["canonical", "canonical_shipments"], ["candidates", "invoice_candidates"]]
