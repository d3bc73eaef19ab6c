"""A test that the promises or the list of security name to hold a sentence is there."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ("promises.md", "security.md")


@lru_cache
def there() -> tuple[frozenset[str], frozenset[str]]:
    """The files of tests and the tests in them."""
    files = list((ROOT / "tests").rglob("test_*.py"))
    found = (
        re.findall(r"^ *def (test_\w+)", each.read_text(encoding="utf-8"), re.MULTILINE) for each in files
    )
    return frozenset(each.name for each in files), frozenset(name for names in found for name in names)


def unknown(text: str) -> list[str]:
    """Files of tests and tests that a text names and nobody wrote."""
    files, tests = there()
    named = re.findall(r"(?<![\w/…])(?:[\w/]*/)?(test_\w+)(\.py)?", text)
    return [
        name + suffix
        for name, suffix in named
        if (name + suffix if suffix else name) not in (files if suffix else tests)
    ]


@pytest.mark.parametrize("name", DOCS)
def test_a_test_that_is_named_is_there(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert "test_" in text and unknown(text) == []


def test_a_test_that_nobody_wrote_would_be_noticed() -> None:
    text = "`tests/unit/test_of_nobody.py`, `test_rates.py::test_of_nobody`, `test_a_test_that_is_named_is_there`"
    assert unknown(text) == ["test_of_nobody.py", "test_of_nobody"]
