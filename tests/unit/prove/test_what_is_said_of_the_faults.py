"""`make prove` says fault by fault what was found, and ends with a line that says that all held only where all did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prove.__main__ import Case, _cases, _lines, _sum
from tests.prove.faults import FAULTS

HELD, BROKEN = Case("", 1.5), Case("assert 2 == 1", 0.5)
ALL = {test: [HELD] for fault in FAULTS for test in fault.tests}
EIGHTH = FAULTS[7]
ITS = EIGHTH.tests[0]
REPORT = """<testsuites><testsuite>
<testcase classname="tests.unit.a" name="test_x[1]" time="1.5"/>
<testcase classname="tests.unit.a" name="test_x[2]" time="0.5"><failure message="assert 2 == 1&#10;more">long</failure></testcase>
<testcase classname="tests.unit.a" name="test_y" time="0"><skipped/></testcase>
</testsuite></testsuites>"""


def test_all_held() -> None:
    assert _sum(ALL) == f"All {len(FAULTS)} faults were brought about, and what was promised held."


@pytest.mark.parametrize(
    "found", [{ITS: [HELD, BROKEN]}, {ITS: []}, None], ids=["broken", "no case", "not run"]
)
def test_one_did_not(found: dict[str, list[Case]] | None) -> None:
    cases = {test: results for test, results in ALL.items() if test != ITS} | (found or {})
    assert "All" not in _sum(cases)
    assert _sum(cases).endswith("Broken, skipped or not run: 8.")


def test_each_fault_is_a_line_with_its_tests_under_it() -> None:
    told = _lines(ALL | {ITS: [HELD, BROKEN]})
    lines = [line for line in told if not line.startswith("     ")]
    assert [int(line.split()[0]) for line in lines] == [fault.number for fault in FAULTS]
    many = len(EIGHTH.tests) + 1
    assert lines[7].split("  ")[2] == f"BROKEN in 1 of {many}"
    assert lines[7].endswith(f"{EIGHTH.what} ({EIGHTH.where}) → {EIGHTH.then}")
    under = told.index(lines[7]) + 1
    assert told[under].split() == [
        "broken", "1", "of", "2", "2", "s", *["a", "busy", "erp", "is", "waited", "for"], "(test_each_invoice_is_posted_once.py)",
    ]  # fmt: skip
    assert told[under + 1].split() == [ITS, *BROKEN.why.split()]
    assert lines[0].split()[1] == "held"


def test_what_was_not_run_is_told_with_its_name() -> None:
    told = _lines({test: results for test, results in ALL.items() if test != ITS})
    assert sum(line.split() == [ITS] for line in told) == 1


def test_a_case_that_failed_or_was_skipped_is_told_with_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    found = _cases(tmp_path / "report.xml")
    assert found == {
        "tests/unit/a.py::test_x": [Case("", 1.5), Case("assert 2 == 1", 0.5)],
        "tests/unit/a.py::test_y": [Case("skipped", 0.0)],
    }
