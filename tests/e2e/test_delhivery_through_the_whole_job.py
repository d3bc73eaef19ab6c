"""The published figures of a parcel network come out of the marts, through the connection file alone."""

from pathlib import Path

import pytest

from core.settings import ROOT, Settings
from core.warehouse import open_serving
from orchestration.run import run_once

DATA = ROOT.parent / "shared" / "data" / "delhivery"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="the real trips are not at ../shared/data/delhivery: nothing to compare with",
)


def test_legs_and_what_they_took_beyond_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "examples" / "delhivery")
    monkeypatch.setenv("DELHIVERY_DIR", str(DATA))
    assert run_once(settings).problems == []
    with open_serving(settings) as marts:
        found = marts.execute(
            "SELECT count(*), quantile_cont(lateness_s / 60, [0.5, 0.9, 0.95]), avg(abs(lateness_s)) / 60 "
            "FROM marts.fct_stops"
        ).fetchone()
    assert found is not None
    legs, quantiles, error = found
    assert legs == 73
    assert quantiles == pytest.approx([42, 226.8, 402.4])
    assert round(error, 2) == 90.60
