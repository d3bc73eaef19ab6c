"""How old each source is, asked through Dagster: fresh, a warning after a day, an error after three."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from core.settings import Settings
from orchestration.definitions import build_definitions
from tests.support.warehouse import append, create_raw_tables, insert_rows, query

NOW = datetime.now(UTC)
ORDER = {"customer_id": "C1", "currency": "EUR", "status": "confirmed", "ordered_at": NOW}


def arrived(path: Path, name: str, hours: float) -> None:
    """One more row of raw_erp, accepted so many hours ago."""
    newest = query(path, f"SELECT * FROM raw_erp.{name} LIMIT 1")[0]
    append(
        path,
        "raw_erp",
        name,
        [newest | {"_dlt_id": f"{name}{hours}", "ingested_at": NOW - timedelta(hours=hours)}],
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dg.AssetCheckEvaluation]:
    settings = Settings(home=tmp_path_factory.mktemp("fresh"))
    path = settings.warehouse
    create_raw_tables(path)
    line = {
        "order_line_id": "L1",
        "order_id": "O1",
        "item_id": "I1",
        "line_no": 1,
        "quantity": 1,
        "uom": "Nos",
    }
    insert_rows(path, "erp", "orders", [ORDER | {"order_id": "O1"}])
    insert_rows(path, "erp", "order_lines", [line])
    arrived(path, "orders", 1)
    arrived(path, "orders", 90)
    arrived(path, "order_lines", 30)
    job = build_definitions(settings).resolve_job_def("source_freshness")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success
    return {
        ".".join(each.asset_key.path): each
        for each in result.get_asset_check_evaluations()
        if each.check_name == "fresh"
    }


def test_the_newest_row_decides(checked: dict[str, dg.AssetCheckEvaluation]) -> None:
    assert checked["raw_erp.orders"].passed


def test_a_day_without_a_row_warns(checked: dict[str, dg.AssetCheckEvaluation]) -> None:
    lines = checked["raw_erp.order_lines"]
    assert (lines.passed, lines.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert lines.metadata["hours old"].value == pytest.approx(30, abs=1)


def test_a_table_that_never_had_a_row_is_an_error(checked: dict[str, dg.AssetCheckEvaluation]) -> None:
    proofs = checked["raw_pod.proofs"]
    assert (proofs.passed, proofs.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert proofs.metadata["newest row"].value == "none"


def test_master_data_may_grow_old(checked: dict[str, dg.AssetCheckEvaluation]) -> None:
    assert "raw_erp.companies" not in checked
