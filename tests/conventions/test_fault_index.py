"""Every fault of the push's specification is in the index, and every test that it names exists."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

import pytest

from tests.prove.faults import FAULTS, Fault

ROOT = Path(__file__).resolve().parents[2]
LAST = 48


@lru_cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))


def unknown(fault: Fault) -> list[str]:
    """Tests of a fault that nobody wrote."""
    told = [test.partition("::") for test in fault.tests]
    return [name for path, _, name in told if not (ROOT / path).is_file() or name not in names_in(path)]


def test_every_number_has_its_fault() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, LAST + 1))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.number} {fault.what}")
def test_its_tests_exist(fault: Fault) -> None:
    assert fault.tests
    assert unknown(fault) == []


def test_a_test_that_nobody_wrote_would_be_noticed() -> None:
    here = "tests/conventions/test_fault_index.py"
    there = Fault(
        1,
        "",
        "",
        "",
        (f"{here}::test_every_number_has_its_fault", f"{here}::test_of_nobody", "gone.py::test_x"),
    )
    assert unknown(there) == ["test_of_nobody", "test_x"]
