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

SIZES = {"WAYBILL_SEEDS": "500", "WAYBILL_PROOFS": "1000"}
"""How much of what ``make simulate`` plays in full is played here, unless the environment says otherwise."""


class Case(NamedTuple):
    """How one case of a test ended: ``why`` it did not pass is empty for one that did."""

    why: str
    seconds: float


Cases = Mapping[str, Sequence[Case]]


def main() -> int:
    """Run the named tests once and print what was found."""
    begun, named = time.monotonic(), sorted({test for fault in FAULTS for test in fault.tests})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        parallel = ("-n", "2", "--dist", "loadfile")
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


def _lines(cases: Cases) -> list[str]:
    """One line a fault (what was done, where, what must be true then, what was found), and under it its tests."""
    told: list[str] = []
    for fault in FAULTS:
        done = f"{fault.what} ({fault.where})"
        told.append(f"{fault.number:>3}  {done} → {fault.then}: {_found(fault, cases)}")
        told += [f"       {_told_of(test, cases.get(test) or ())}" for test in fault.tests]
    return told


def _told_of(test: str, cases: Sequence[Case]) -> str:
    if not cases:
        return f"not run              {test}"
    bad = [case.why for case in cases if case.why]
    ended = f"broken {len(bad)} of {len(cases)}" if bad else f"held in {len(cases)}"
    return f"{ended:<14}{sum(case.seconds for case in cases):>4.0f} s  {test}" + (
        f"  {bad[0]}" if bad else ""
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
        return "held" if held == 1 else f"held in all {held} cases"
    return f"BROKEN in {len(results) - held} of {len(results)} cases"


if __name__ == "__main__":
    sys.exit(main())
