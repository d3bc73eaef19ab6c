"""A source that fails is observed with its name and a remedy, its cursor stays, and the others are read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.connections import load_connections
from core.errors import WaybillError
from core.settings import ROOT, Settings
from core.warehouse import open_warehouse
from ingestion.load import Loader
from ingestion.run import ensure_warehouse, ingest
from state import observations
from state.engine import open_state
from tests.support.sandbox import Running, running_sandbox

FOLDER = ROOT / "connections" / "sandbox"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("world")
    with running_sandbox(home, orders=120) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield running


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        ({"kind": "status", "status": 401}, "credentials"),
        ({"kind": "status", "status": 429}, "answered 429"),
        ({"kind": "status", "status": 500}, "answered 500"),
        ({"kind": "html"}, "instead of JSON"),
        ({"kind": "cut"}, "sandbox_dispatch"),
        ({"kind": "reset"}, "sandbox_dispatch"),
    ],
    ids=lambda each: "-".join(map(str, each.values())) if isinstance(each, dict) else "",
)
def test_it_is_named_and_the_next_source_is_read(
    running: Running, tmp_path: Path, fault: dict[str, Any], word: str
) -> None:
    settings = Settings(home=tmp_path, connections=FOLDER)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    known = {each.connection: each for each in load_connections(FOLDER)}
    faults = f"{running.url('dispatch')}/_sandbox/faults"
    httpx.post(faults, json=fault | {"times": 1000, "path": "/"}).raise_for_status()
    try:
        with pytest.raises(WaybillError) as failure:
            ingest(settings, engine, known["sandbox_dispatch"], "run-1")
    finally:
        httpx.delete(faults).raise_for_status()
    assert failure.value.message.startswith("sandbox_dispatch: ") and word in failure.value.message
    assert failure.value.remedy
    assert Loader(settings, "sandbox_dispatch", "dispatch").cursors() == {}
    assert sum(each.loaded for each in ingest(settings, engine, known["sandbox_depot_pod"], "run-1")) > 0
    seen = {each.connection: each for each in observations.latest(engine)}
    assert (seen["sandbox_dispatch"].ok, seen["sandbox_depot_pod"].ok) == (False, True)
    assert seen["sandbox_dispatch"].error == failure.value.message
    assert seen["sandbox_dispatch"].remedy == failure.value.remedy


def test_a_failure_after_a_success_leaves_the_cursor_where_it_was(running: Running, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, connections=FOLDER)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    known = {each.connection: each for each in load_connections(FOLDER)}
    ingest(settings, engine, known["sandbox_dispatch"], "run-1")
    before = Loader(settings, "sandbox_dispatch", "dispatch").cursors()
    faults = f"{running.url('dispatch')}/_sandbox/faults"
    httpx.post(faults, json={"kind": "html", "times": 1000, "path": "/"}).raise_for_status()
    try:
        with pytest.raises(WaybillError):
            ingest(settings, engine, known["sandbox_dispatch"], "run-2")
    finally:
        httpx.delete(faults).raise_for_status()
    assert before and Loader(settings, "sandbox_dispatch", "dispatch").cursors() == before


def test_a_failure_between_two_pages_keeps_the_first_and_goes_on_behind_it(
    running: Running, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, connections=FOLDER)
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    known = {each.connection: each for each in load_connections(FOLDER)}
    ingest(settings, engine, known["sandbox_dispatch"], "run-0")  # it knows the devices
    faults = f"{running.url('telematics')}/_sandbox/faults"
    failing = {"kind": "status", "status": 500, "times": 1000, "path": "/", "after": 1}
    httpx.post(faults, json=failing).raise_for_status()
    try:
        with pytest.raises(WaybillError):
            ingest(settings, engine, known["sandbox_telematics"], "run-1")
    finally:
        httpx.delete(faults).raise_for_status()
    stood = Loader(settings, "sandbox_telematics", "telematics").cursors()["positions"]
    read = {each.resource: each for each in ingest(settings, engine, known["sandbox_telematics"], "run-2")}
    rest, events = read["positions"], read["vehicle_events"]
    ended = Loader(settings, "sandbox_telematics", "telematics").cursors()["positions"]
    expected = json.loads(Path(running.endpoints["truth"]).read_text(encoding="utf-8"))
    whole = expected["sources"]["sandbox_telematics.positions"]
    assert events.rows_in == expected["sources"]["sandbox_telematics.vehicle_events"]["rows_in"] > 0
    with open_warehouse(settings, "count positions") as warehouse:
        found = warehouse.execute("SELECT count(*) FROM raw_telematics.positions").fetchone()
    assert stood != ended and 0 < rest.rows_in < whole["rows_in"]
    assert found == (whole["loaded"],)
