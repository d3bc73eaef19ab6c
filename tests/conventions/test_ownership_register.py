"""Each attribute of each golden record has exactly one kind of system whose word counts, and no attribute is made up."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from core.connections import Connection

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
GOLDEN = re.compile(r"golden_records\('(\w+)', \[(.*?)\]\)", re.DOTALL)
Attribute = tuple[str, str]


def published() -> list[Attribute]:
    found = []
    for path in sorted((PROJECT / "models" / "marts" / "dims").glob("dim_*.sql")):
        for entity_type, attributes in GOLDEN.findall(path.read_text(encoding="utf-8")):
            found += [(entity_type, each) for each in re.findall(r"'(\w+)'", attributes)]
    return found


def register() -> list[dict[str, str]]:
    with (PROJECT / "seeds" / "ownership_register.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def out_of_step(owned: Iterable[Attribute], shown: Iterable[Attribute]) -> set[Attribute]:
    """Attributes that nobody owns, that have an owner and no column, or that are owned twice."""
    owned, shown = list(owned), set(shown)
    return (set(owned) ^ shown) | {each for each in owned if owned.count(each) > 1}


def test_every_attribute_of_a_golden_record_has_one_owner() -> None:
    assert out_of_step([(row["entity_type"], row["attribute"]) for row in register()], published()) == set()


def test_an_owner_is_a_kind_of_system() -> None:
    kinds = set(get_args(Connection.model_fields["kind"].annotation))
    assert {row["kind"] for row in register()} <= kinds


def test_which_attributes_are_out_of_step() -> None:
    one, other = ("customer", "name"), ("customer", "vat_id")
    assert out_of_step([one, other], [one, other]) == set()
    assert out_of_step([one], [one, other]) == {other}
    assert out_of_step([one, other], [one]) == {other}
    assert out_of_step([one, one, other], [one, other]) == {one}
