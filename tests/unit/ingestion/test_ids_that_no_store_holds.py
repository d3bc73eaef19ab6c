"""Ids with a NUL or a lone surrogate: never asked for, refused, and told in words that every store can hold."""

from datetime import UTC, datetime

import pytest

from contracts.resources import resource
from ingestion.base import SourceRecord
from ingestion.erp.frappe import can_ask
from ingestion.sorting import Sorter, Visit

AT = datetime(2026, 11, 13, 12, tzinfo=UTC)


@pytest.mark.parametrize(("name", "asked"), [("SO\ud800", False), ("SO-1", True), ("Größe \U0001f69a", True)])
def test_a_site_is_not_asked_for_what_its_database_cannot_be_given(name: str, asked: bool) -> None:
    assert can_ask(name) == asked


@pytest.mark.parametrize(("name", "told"), [("T\x00", "T\\x00"), ("T\ud800", "T\\ud800")])
def test_a_refused_id_is_told_with_its_escape(name: str, told: str) -> None:
    row = SourceRecord("tax_codes", {"name": name}, AT, {"tax_code": name, "rate_percent": 19})
    sorter = Sorter(resource("erp", "tax_codes"), Visit("one", "run", AT), lambda _: {}, None)
    (letter,) = sorter.sort([row]).letters
    assert (letter.reason, letter.source_id) == ("ID_INVALID", told)
