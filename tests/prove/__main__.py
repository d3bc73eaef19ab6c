"""``python -m tests.prove``: bring every fault about, and say fault by fault what was found.

Exit 1 when any promise did not hold.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from rich.console import Console

from tests.prove.faults import FAULTS, Fault

SIZES = {"WAYBILL_SEEDS": "250", "WAYBILL_PROOFS": "200"}
"""How much of what ``make simulate`` plays in full is played here, unless the environment says otherwise."""


DEAR = (
    "tests/e2e/", "tests/integration/ingestion/test_killed", "tests/integration/ingestion/test_the_warehouse",
    "tests/simulation/", "tests/integration/activation/test_a_day", "tests/integration/activation/test_faults_of",
    "tests/integration/", "tests/unit/",
)  # fmt: skip
"""Where the time goes, most first."""


class Case(NamedTuple):
    """How one case of a test ended: ``why`` it did not pass is empty for one that did."""

    why: str
    seconds: float


Cases = Mapping[str, Sequence[Case]]


def main() -> int:
    """Run the named tests once and print what was found."""
    begun, named = (
        time.monotonic(),
        sorted({test for fault in FAULTS for test in fault.tests}, key=_dear_first),
    )
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # As they are named: a file that takes long and comes last would leave one of the two without work.
        parallel = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
        command = [sys.executable, "-m", "pytest", *parallel, "--junitxml", str(report), *named]
        ended = subprocess.run(command, stdout=sys.stderr, check=False, env=SIZES | os.environ).returncode
        cases = _cases(report) if report.exists() else {}
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False, soft_wrap=True)
    for line in (*_lines(cases), "", _sum(cases), _took(time.monotonic() - begun)):
        console.print(line, markup=False)
    missing = [test for test in named if not cases.get(test)]
    return 1 if ended or missing else 0


def _cases(report: Path) -> Cases:
    """Test → its cases; skipped ones count as not passed."""
    found: defaultdict[str, list[Case]] = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        path = case.attrib["classname"].replace(".", "/") + ".py"
        name = case.attrib["name"].partition("[")[0]
        bad = [each for each in case if each.tag in {"failure", "error", "skipped"}]
        why = (bad[0].get("message") or bad[0].tag).splitlines()[0][:120] if bad else ""
        found[f"{path}::{name}"].append(Case(why, float(case.get("time", 0))))
    return found


def _dear_first(test: str) -> tuple[int, str]:
    """Its place: files that take longest begin first."""
    return next((place for place, dear in enumerate(DEAR) if test.startswith(dear)), len(DEAR)), test


def _lines(cases: Cases) -> list[str]:
    """Of each fault what was found, what was done and where, what must be true then, and under it its tests in their own words."""
    told: list[str] = []
    for fault in FAULTS:
        found = _found(fault, cases)
        told.append(f"{fault.number:>3}  {found:<24}{fault.what} ({fault.where}) → {fault.then}")
        told += [line for test in fault.tests for line in _told_of(test, cases.get(test) or ())]
    return told


def _told_of(test: str, cases: Sequence[Case]) -> list[str]:
    """A line, and for one that did not hold a second: how to run it alone, and why."""
    bad = [case.why for case in cases if case.why]
    ended = (
        "not run" if not cases else f"broken {len(bad)} of {len(cases)}" if bad else f"held in {len(cases)}"
    )
    file, _, name = test.partition("::")
    took = f"{sum(case.seconds for case in cases):.0f} s" if cases else ""
    words = name.removeprefix("test_").lstrip("0123456789_").replace("_", " ")
    told = [f"     {ended:<17}{took:>5}  {words} ({Path(file).name})"]
    return (
        told
        if cases and not bad
        else [*told, f"                             {test}  {bad[0] if bad else ''}".rstrip()]
    )


def _sum(cases: Cases) -> str:
    """One line on all of them: it says that all held only where they did."""
    broken = [str(fault.number) for fault in FAULTS if not all(_results(fault, cases))]
    if not broken:
        return f"All {len(FAULTS)} faults were brought about, and what was promised held."
    return f"{len(FAULTS) - len(broken)} of {len(FAULTS)} faults: held. Broken, skipped or not run: {', '.join(broken)}."


def _took(seconds: float) -> str:
    used = os.times()
    return f"It took {seconds:.0f} s, and {used.children_user + used.children_system:.0f} s of CPU time."


def _results(fault: Fault, cases: Cases) -> list[bool]:
    """Whether each case passed; a test that did not run is one that did not."""
    return [
        passed
        for test in fault.tests
        for passed in ([not case.why for case in cases.get(test) or ()] or [False])
    ]


def _found(fault: Fault, cases: Cases) -> str:
    results = _results(fault, cases)
    held = sum(results)
    if held == len(results):
        return "held" if held == 1 else f"held in {held} cases"
    return f"BROKEN in {len(results) - held} of {len(results)}"


if __name__ == "__main__":
    sys.exit(main())
