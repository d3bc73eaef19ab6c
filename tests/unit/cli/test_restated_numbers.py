"""``waybill kpi --restated`` lists what changed after its period was over, newest first, and says when nothing did."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from cli import kpi
from cli.main import typer_app
from core.settings import Settings

_TABLE = """
    CREATE TABLE kpi_restatements (
        metric VARCHAR, variant VARCHAR, currency VARCHAR, grain VARCHAR, period_start DATE, dimension VARCHAR,
        dimension_value VARCHAR, value_before DECIMAL(28, 6), value_after DECIMAL(28, 6), n_before BIGINT,
        n_after BIGINT, cause VARCHAR, entities VARCHAR, restated_at TIMESTAMPTZ)
"""
_CHANGES = [
    ("in_full_rate", "day", "all", "all", Decimal(1), Decimal("0.75"), "late event", "CN-1", 18),
    ("in_full_rate", "day", "all", "all", Decimal("0.75"), Decimal("0.5"), "correction", "CN-2", 19),
    ("in_full_rate", "week", "all", "all", Decimal(1), Decimal("0.9"), "late event", "CN-1", 18),
    ("in_full_rate", "day", "depot", "HAM", Decimal(1), Decimal(0), "late event", "CN-1", 18),
    ("on_time_rate", "day", "all", "all", Decimal(1), Decimal(0), "late event", "CN-1", 18),
]


@pytest.fixture
def marts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A serving copy in which nothing was restated."""
    settings = Settings(home=tmp_path)
    settings.serving.parent.mkdir()
    with duckdb.connect(str(settings.serving)) as connection:
        connection.execute(_TABLE)
    monkeypatch.setattr(kpi, "get_settings", lambda: settings)
    return settings.serving


@pytest.fixture
def changed(marts: Path) -> Path:
    with duckdb.connect(str(marts)) as connection:
        for metric, grain, dimension, value, before, after, cause, entities, day in _CHANGES:
            connection.execute(
                "INSERT INTO kpi_restatements VALUES (?, 'default', NULL, ?, ?, ?, ?, ?, ?, 4, 4, ?, ?, ?)",
                [metric, grain, date(2026, 11, 12), dimension, value, before, after, cause, entities,
                 datetime(2026, 11, day, 9, tzinfo=UTC)],
            )  # fmt: skip
    return marts


def told(*words: str) -> list[list[object]]:
    found = CliRunner().invoke(typer_app, ["kpi", *words, "--restated", "--json"])
    assert found.exit_code == 0, found.output
    return [[row["metric"], row["grain"], row["cause"]] for row in json.loads(found.stdout)]


def test_the_newest_change_stands_first_and_the_cuts_apart(changed: Path) -> None:
    assert told("in_full_rate") == [
        ["in_full_rate", "day", "correction"],
        ["in_full_rate", "day", "late event"],
        ["in_full_rate", "week", "late event"],
    ]


def test_one_length_of_period_and_one_dimension_can_be_asked_for(changed: Path) -> None:
    assert told("--grain", "week") == [["in_full_rate", "week", "late event"]]
    assert told("--dimension", "depot") == [["in_full_rate", "day", "late event"]]
    assert told("--grain", "month") == []


def test_a_person_reads_what_it_was_what_it_is_and_why(changed: Path) -> None:
    text = CliRunner().invoke(typer_app, ["kpi", "in_full_rate", "--restated", "--grain", "day"]).stdout
    correction, late = (line for line in text.splitlines() if "2026-11-12" in line)
    assert "0.750000" in correction
    assert "0.500000" in correction
    assert "correction" in correction
    assert "late event" in late


def test_that_nothing_changed_is_an_answer(marts: Path) -> None:
    found = CliRunner().invoke(typer_app, ["kpi", "--restated"])
    assert found.exit_code == 0
    assert found.stdout == ""
    assert "was restated" in found.stderr
