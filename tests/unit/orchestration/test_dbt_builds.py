"""Which build a run may go on from, and which not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.settings import Settings
from core.warehouse import open_warehouse
from orchestration.dbt_builds import builds_on, definitions, forget_builds

AS_OF = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings, "a build") as warehouse:
        warehouse.execute("CREATE SCHEMA changes")
        warehouse.execute("CREATE TABLE changes.builds (as_of TIMESTAMP WITH TIME ZONE, definitions VARCHAR)")
        warehouse.execute("INSERT INTO changes.builds VALUES (?, ?)", [AS_OF, "today's"])
    return settings


def test_a_run_goes_on_from_a_build_of_the_same_definitions(settings: Settings) -> None:
    assert builds_on(settings, "today's", AS_OF) == AS_OF


def test_other_definitions_build_everything(settings: Settings) -> None:
    assert builds_on(settings, "tomorrow's", AS_OF) is None


def test_an_earlier_instant_builds_everything(settings: Settings) -> None:
    assert builds_on(settings, "today's", AS_OF - timedelta(seconds=1)) is None


def test_what_was_forgotten_is_built_again(settings: Settings) -> None:
    forget_builds(settings)
    assert builds_on(settings, "today's", AS_OF) is None


def test_a_new_home_builds_everything(tmp_path: Path) -> None:
    assert builds_on(Settings(home=tmp_path), "today's", AS_OF) is None


def test_another_go_live_is_another_definition() -> None:
    assert definitions(None) == definitions(None)
    assert definitions(None) != definitions(AS_OF)
