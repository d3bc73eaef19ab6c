"""`make prove` ends with a line that says that all held only where all did."""

from __future__ import annotations

import pytest

from tests.prove.__main__ import _sum
from tests.prove.faults import FAULTS

ALL = {test: [True] for fault in FAULTS for test in fault.tests}
ITS = FAULTS[7].tests[0]


def test_all_held() -> None:
    assert _sum(ALL) == f"All {len(FAULTS)} faults were brought about, and what was promised held."


@pytest.mark.parametrize(
    "found", [{ITS: [True, False]}, {ITS: []}, None], ids=["broken", "no case", "not run"]
)
def test_one_did_not(found: dict[str, list[bool]] | None) -> None:
    cases = {test: results for test, results in ALL.items() if test != ITS} | (found or {})
    assert "All" not in _sum(cases)
    assert _sum(cases).endswith("Broken, skipped or not run: 8.")
