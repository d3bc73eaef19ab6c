"""Every bad input of the reference is in the index, and every test that the index names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.conventions.bad_inputs import EDI, SYSTEMS, Entry

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "reference" / "bad_inputs.md"
ENTRIES = [entry for entries in SYSTEMS.values() for entry in entries]
NAMED = sorted({test for entry in ENTRIES for test in entry.tests})
DATA = ("ERP", "Dispatch", "Telematics", "POD", "Any")


@lru_cache
def names_in(path: str) -> frozenset[str]:
    """The tests of a module, or the unit tests beside a model."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".yml"):
        return frozenset(re.findall(r"^ *- name: (\w+)$", text, re.MULTILINE))
    functions = (each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef))
    return frozenset(each.name for each in functions if each.name.startswith("test_"))


@lru_cache
def words_of(path: str) -> frozenset[str]:
    """Every text that stands in a module: the names of its cases are among them."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


@pytest.mark.parametrize("name", NAMED)
def test_a_test_that_the_index_names_exists(name: str) -> None:
    path, _, test = name.partition("::")
    function, _, case = test.partition("[")
    assert (ROOT / path).is_file() and function in names_in(path)
    assert not case or case.removesuffix("]") in words_of(path)


def test_a_test_that_nobody_wrote_would_be_noticed() -> None:
    path = "tests/conventions/test_bad_inputs_index.py"
    assert "test_a_test_that_nobody_wrote_would_be_noticed" in names_in(path)
    assert "test_that_nobody_wrote" not in names_in(path)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.text)
def test_an_input_is_held_by_a_test_or_says_what_it_waits_for(entry: Entry) -> None:
    assert entry.tests or entry.later == EDI


def test_only_inputs_of_edi_wait_without_a_test() -> None:
    assert [entry.text for name in DATA for entry in SYSTEMS[name] if not entry.tests] == []


def test_each_system_has_a_module_of_its_own() -> None:
    for name, module in (
        ("ERP", "erp"),
        ("Dispatch", "dispatch"),
        ("Telematics", "telematics"),
        ("POD", "pod"),
    ):
        paths = {test.partition("::")[0] for entry in SYSTEMS[name] for test in entry.tests}
        assert f"tests/integration/bad_inputs/test_{module}_rows.py" in paths


def referenced() -> Iterator[tuple[str, list[str]]]:
    """The inputs of the reference by system, as its table has them."""
    system = ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        match = re.match(r"\|(?:\*\*(\w+)\*\* )?(.+?)\|(.+)\|$", line.strip())
        if match and match[2].strip() not in ("input", "--"):
            system = match[1] or system
            yield system, [each.strip() for each in match[2].split(" · ")]


@pytest.mark.skipif(
    not REFERENCE.is_file(), reason="the reference is not at ../shared/reference: nothing to compare with"
)
def test_the_index_has_every_input_of_the_reference_and_no_other() -> None:
    found: dict[str, list[str]] = {}
    for system, texts in referenced():
        found.setdefault(system, []).extend(texts)
    assert {name: [entry.text for entry in entries] for name, entries in SYSTEMS.items()} == found
