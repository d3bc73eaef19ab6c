"""The published figures of one lorry come out of the marts, through the connection file alone."""

from pathlib import Path

import pytest

from core.settings import ROOT, Settings
from core.warehouse import open_serving
from orchestration.run import run_once

DATA = ROOT.parent / "shared" / "data" / "gps_fleet_tajo"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(),
    reason="the real lorry is not at ../shared/data/gps_fleet_tajo: nothing to compare with",
)


def test_late_and_unordered_events_and_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "examples" / "truck")
    monkeypatch.setenv("TRUCK_DIR", str(DATA))
    assert run_once(settings).problems == []
    with open_serving(settings) as marts:
        found = marts.execute(
            "SELECT sum(event_count), sum(late_event_count), sum(out_of_order_event_count), "
            "round(sum(distance_km), 3) FROM marts.fct_vehicle_days"
        ).fetchone()
    assert found == (492, 200, 3, 24.188)
