"""A shipment that was refused is mended and replayed from the command line: it is in the marts, and the counts add up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import ROOT, Settings
from core.warehouse import open_serving
from orchestration.run import run_once
from state import heads, ledger
from state.engine import open_state
from tests.support.sandbox import running_sandbox

pytestmark = pytest.mark.long

CONNECTIONS = ROOT / "connections" / "sandbox"
MENDED, GONE = "ZZ-C1", "ZZ-C2"
WHY = ("--actor", "anna", "--reason", "agreed with dispatch")


@pytest.fixture(scope="module")
def settings(
    first: dict[str, Any], home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The demo's first run, copied: its sandbox sends what real systems send wrongly, and runs again."""
    assert first
    settings = Settings(home=tmp_path_factory.mktemp("job") / "home", connections=CONNECTIONS)
    shutil.copytree(home, settings.root)
    with running_sandbox(settings.root, orders=240) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.env.items():
            patch.setenv(name, value)
        yield settings


@pytest.fixture(scope="module")
def before(settings: Settings) -> tuple[list[Any], dict[str, int]]:
    return shipment(settings), messages(settings)


@pytest.fixture(scope="module")
def decided(settings: Settings, before: tuple[Any, ...]) -> dict[str, list[Any]]:
    """What the commands said; then everything is run once more."""
    assert before
    letters = {
        each["source id"]: each["id"] for each in waybill(settings, "list", "--resource", "consignments")
    }
    bad = waybill(settings, "fix", letters[MENDED], "--set", "status=beamed", *WHY, code=1)
    fixed = waybill(settings, "fix", letters[MENDED], "--set", "status=accepted", *WHY)
    replayed = [waybill(settings, "replay", letters[MENDED], *WHY) for _ in range(2)]
    gone = waybill(
        settings,
        "discard",
        "--reason-code",
        "FIELD_MISSING",
        "--connection",
        "sandbox_dispatch",
        "--yes",
        *WHY,
    )
    assert run_once(settings).problems == []
    return {"letters": [letters], "bad": [bad], "fixed": [fixed], "replayed": replayed, "gone": [gone]}


def waybill(settings: Settings, *words: str, code: int = 0) -> Any:
    """A command's document; its error where it failed as expected."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "dead-letter", *words, "--json"],
        env={**os.environ, "WAYBILL_HOME": str(settings.home), "WAYBILL_CONNECTIONS": str(CONNECTIONS)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done.stderr if code else json.loads(done.stdout)


def shipment(settings: Settings) -> list[Any]:
    with open_serving(settings) as marts:
        return marts.execute(
            "SELECT shipment_no FROM marts.fct_shipments WHERE shipment_no IN (?, ?)", [MENDED, GONE]
        ).fetchall()


def messages(settings: Settings) -> dict[str, int]:
    """How many consignments were told, by what became of them."""
    with open_serving(settings) as marts:
        return dict(
            marts.execute(
                "SELECT state, cast(sum(message_count) AS integer) FROM marts.fct_integration_messages "
                "WHERE connection = 'sandbox_dispatch' AND resource = 'consignments' GROUP BY state"
            ).fetchall()
        )


def test_a_fix_that_is_still_bad_is_refused(decided: dict[str, list[Any]]) -> None:
    assert "STATUS_UNKNOWN" in decided["bad"][0]
    assert "found 'beamed'" in decided["bad"][0]


def test_the_mended_shipment_is_in_the_marts(
    settings: Settings, before: tuple[list[Any], Any], decided: dict[str, list[Any]]
) -> None:
    assert decided["fixed"][0]["fields"]["status"] == "accepted"
    assert (before[0], shipment(settings)) == ([], [(MENDED,)])


def test_replayed_twice_it_is_a_no_op(decided: dict[str, list[Any]]) -> None:
    assert [[each["outcome"] for each in fates] for fates in decided["replayed"]] == [
        ["replayed"],
        ["nothing to do"],
    ]


def test_the_messages_add_up_after_all_of_it(
    settings: Settings, before: tuple[Any, dict[str, int]], decided: dict[str, list[Any]]
) -> None:
    then, now = before[1], messages(settings)
    assert decided["gone"] == [{"discarded": [decided["letters"][0][GONE]]}]
    changed = {name: now.get(name, 0) - then.get(name, 0) for name in now | then}
    assert changed == {"DEAD_LETTERED": -2, "REPLAYED": 0, "DISCARDED": 1, "LOADED": 1}


def test_the_ledger_holds_who_did_it_and_is_signed(settings: Settings, decided: dict[str, list[Any]]) -> None:
    assert decided
    engine = open_state(settings)
    assert ledger.verify(engine).first_bad is None
    assert heads.problems(engine, heads.read(settings.ledger_heads)) == []
