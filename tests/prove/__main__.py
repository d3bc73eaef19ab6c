"""``python -m tests.prove``: bring every fault about, and say fault by fault what was found.

Exit 1 when any promise did not hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console
from rich.table import Table

from tests.prove.faults import FAULTS, Fault


def main() -> int:
    """Run the named tests once and print the table."""
    named = sorted({test for fault in FAULTS for test in fault.tests})
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "2",
            "--dist",
            "loadfile",
            "--junitxml",
            str(report),
            *named,
        ]
        ended = subprocess.run(command, stdout=sys.stderr, check=False).returncode
        cases = _cases(report) if report.exists() else {}
    _show(cases)
    missing = [test for test in named if not cases.get(test)]
    return 1 if ended or missing else 0


def _cases(report: Path) -> dict[str, list[bool]]:
    """Test → whether each of its cases passed; skipped ones count as not passed."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        path = case.attrib["classname"].replace(".", "/") + ".py"
        name = case.attrib["name"].partition("[")[0]
        found[f"{path}::{name}"].append(
            not any(child.tag in {"failure", "error", "skipped"} for child in case)
        )
    return dict(found)


def _show(cases: dict[str, list[bool]]) -> None:
    table = Table(title="Faults, and what was found", title_justify="left", show_lines=False)
    for name in ("#", "fault", "where", "then", "found"):
        table.add_column(name, justify="right" if name == "#" else "left", overflow="fold")
    for fault in FAULTS:
        table.add_row(str(fault.number), fault.what, fault.where, fault.then, _found(fault, cases))
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    console.print(table)
    console.print(_sum(cases))


def _sum(cases: dict[str, list[bool]]) -> str:
    """One line on all of them: it says that all held only where they did."""
    broken = [str(fault.number) for fault in FAULTS if not all(_results(fault, cases))]
    if not broken:
        return f"All {len(FAULTS)} faults were brought about, and what was promised held."
    return f"{len(FAULTS) - len(broken)} of {len(FAULTS)} faults: held. Broken, skipped or not run: {', '.join(broken)}."


def _results(fault: Fault, cases: dict[str, list[bool]]) -> list[bool]:
    """Whether each case passed; a test that did not run is one that did not."""
    return [passed for test in fault.tests for passed in (cases.get(test) or [False])]


def _found(fault: Fault, cases: dict[str, list[bool]]) -> str:
    results = _results(fault, cases)
    held = sum(results)
    return (
        f"held in all {held} cases"
        if held == len(results)
        else f"BROKEN in {len(results) - held} of {len(results)}"
    )


if __name__ == "__main__":
    sys.exit(main())
