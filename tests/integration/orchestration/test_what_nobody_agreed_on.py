"""An unknown status or field warns in Dagster, in the run that meets it first, and holds nothing up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from core.connections import load_connections
from core.settings import Settings
from orchestration.ingest_assets import ingest_assets
from orchestration.platform import PlatformResource
from orchestration.unagreed import NAME
from tests.support.vendors import Vendors, vendors

CONNECTION = """\
connection: fleet
kind: dispatch
adapter: otm5
owner: tests
base_url: {url}
secrets: {{token: AGREED_TOKEN}}
"""
KEY = dg.AssetKey(["raw_dispatch", "consignments"])


def consignment(name: str, **changes: Any) -> dict[str, Any]:
    own = {"externalAttributes": {"orderId": f"O-{name}"}}
    return {"id": name, "lastModified": "2026-11-12T09:00:00Z", "status": "accepted"} | own | changes


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    monkeypatch.setenv("AGREED_TOKEN", "hush")
    (tmp_path / "connections").mkdir()
    with vendors() as told:
        text = CONNECTION.format(url=told.url)
        (tmp_path / "connections" / "fleet.yaml").write_text(text, encoding="utf-8")
        yield told


def run(tmp_path: Path) -> tuple[dg.AssetCheckEvaluation, int]:
    """The check of one run, and how many rows were said to hold an unknown field."""
    settings = Settings(home=tmp_path, connections=tmp_path / "connections")
    done = dg.materialize(
        ingest_assets(load_connections(settings.connections_dir)),
        resources={"platform": PlatformResource.of(settings)},
    )
    assert done.success
    [check] = [each for each in done.get_asset_check_evaluations() if each.check_name == NAME]
    [made] = [each for each in done.get_asset_materialization_events() if each.asset_key == KEY]
    rows = made.materialization.metadata["unknown fields"].value
    assert isinstance(rows, int)
    return check, rows


def test_it_warns_in_the_run_that_meets_it_first(told: Vendors, tmp_path: Path) -> None:
    told.lists["consignments"] = [consignment("A")]
    check, rows = run(tmp_path)
    assert (check.passed, rows) == (True, 0)
    told.lists["consignments"] += [consignment("B", status="teleported"), consignment("C", surprise=1)]
    check, rows = run(tmp_path)
    assert (check.passed, check.severity, rows) == (False, dg.AssetCheckSeverity.WARN, 1)
    words = str(check.metadata["fleet consignments"].value)
    assert "STATUS_UNKNOWN" in words and "unknown field 'surprise'" in words
    check, rows = run(tmp_path)
    assert (check.passed, rows) == (True, 2), "it goes on being counted"
