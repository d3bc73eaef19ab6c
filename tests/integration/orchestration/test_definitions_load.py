"""What Dagster's code server does first: everything that is defined fits together."""

from pathlib import Path

from core.settings import Settings
from orchestration.definitions import build_definitions


def test_every_definition_loads_and_the_jobs_are_these(tmp_path: Path) -> None:
    repository = build_definitions(Settings(home=tmp_path)).get_repository_def()
    repository.load_all_definitions()
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == {
        "order_to_invoice",
        "source_freshness",
        "backfill_day",
        "daily_reconciliation",
    }
    assert {each.name for each in repository.schedule_defs} == {"hourly", "half_past", "daily"}
