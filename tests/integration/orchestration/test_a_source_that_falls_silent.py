"""Fault 31: a source that answers 200 with no rows, where it always had some, warns in that very run."""

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
from orchestration.volume import ALWAYS, NAME
from tests.support.vendors import Vendors, vendors

CONNECTION = """\
connection: fleet
kind: dispatch
adapter: otm5
owner: tests
base_url: {url}
secrets: {{token: SILENT_TOKEN}}
"""
TRIP: dict[str, Any] = {"id": "T-1", "lastModified": "2026-11-12T09:00:00Z", "status": "inTransit"}


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendors]:
    monkeypatch.setenv("SILENT_TOKEN", "hush")
    (tmp_path / "connections").mkdir()
    with vendors() as told:
        text = CONNECTION.format(url=told.url)
        (tmp_path / "connections" / "fleet.yaml").write_text(text, encoding="utf-8")
        yield told


def run(tmp_path: Path) -> dg.AssetCheckEvaluation:
    settings = Settings(home=tmp_path, connections=tmp_path / "connections")
    done = dg.materialize(
        ingest_assets(load_connections(settings.connections_dir)),
        resources={"platform": PlatformResource.of(settings)},
    )
    assert done.success
    [check] = [each for each in done.get_asset_check_evaluations() if each.check_name == NAME]
    return check


def test_31_it_warns_in_the_first_run_in_which_nothing_came(told: Vendors, tmp_path: Path) -> None:
    told.lists["trips"] = [TRIP]
    assert all(run(tmp_path).passed for _ in range(ALWAYS))
    told.lists["trips"] = []
    check = run(tmp_path)
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert list(check.metadata) == ["fleet trips"], "what never had rows is not missed"
    told.lists["trips"] = [TRIP]
    assert run(tmp_path).passed


def test_31_a_source_that_is_often_empty_is_not_missed(told: Vendors, tmp_path: Path) -> None:
    told.lists["trips"] = [TRIP]
    assert run(tmp_path).passed
    told.lists["trips"] = []
    assert run(tmp_path).passed
