"""Which parents a child may name: those that a completed load holds, and those that the same reading accepted."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contracts.resources import Parent, resource
from core.settings import Settings
from core.warehouse import open_warehouse
from ingestion import known
from ingestion.known import Parents

OWN = resource("pod", "proofs").parent
assert OWN is not None
PARENT: Parent = OWN
TABLE = f"raw_{PARENT.kind}.{PARENT.resource}"


def load(settings: Settings, load_id: str, status: int, ids: Sequence[str | None]) -> None:
    with open_warehouse(settings, "test") as warehouse:
        schema = f"raw_{PARENT.kind}"
        warehouse.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        warehouse.execute(f"CREATE TABLE IF NOT EXISTS {schema}._dlt_loads (load_id VARCHAR, status BIGINT)")
        warehouse.execute(
            f"CREATE TABLE IF NOT EXISTS {TABLE} ({PARENT.parent_field} VARCHAR, _dlt_load_id VARCHAR)"
        )
        warehouse.execute(f"INSERT INTO {schema}._dlt_loads VALUES (?, ?)", [load_id, status])
        for each in ids:
            warehouse.execute(f"INSERT INTO {TABLE} VALUES (?, ?)", [each, load_id])


@pytest.fixture
def loaded(settings: Settings) -> Settings:
    load(settings, "1", 0, ["A", "B", None])
    load(settings, "2", 1, ["DIED"])
    return settings


def test_a_page_is_told_of_its_own_ids(loaded: Settings) -> None:
    assert Parents(loaded, PARENT).among({"A", "X", "DIED"}) == {"A"}


def test_that_none_of_a_page_is_known_is_not_that_nobody_can_know(loaded: Settings) -> None:
    assert Parents(loaded, PARENT).among({"X"}) == set()


def test_where_nothing_was_ever_loaded_nobody_can_know(settings: Settings) -> None:
    load(settings, "1", 1, ["DIED"])
    parents = Parents(settings, PARENT)
    assert [parents.among({"DIED"}) for _ in range(3)] == [None] * 3
    assert Parents(settings, PARENT, {"NEW"}).among({"DIED", "NEW"}) == {"NEW"}


def test_what_the_same_reading_accepted_is_known_on_every_page(loaded: Settings) -> None:
    fresh: set[str] = set()
    parents = Parents(loaded, PARENT, fresh)
    assert parents.among({"A", "NEW"}) == {"A"}
    fresh.add("NEW")
    assert [parents.among({"B", "NEW", "X"}) for _ in range(2)] == [{"B", "NEW"}] * 2


def test_who_has_many_pages_asks_the_warehouse_twice(
    loaded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    ask = known.known_parents

    def counted(settings: Settings, parent: Parent, named: set[str] | None = None) -> set[str] | None:
        asked.append(named)
        return ask(settings, parent, named)

    monkeypatch.setattr(known, "known_parents", counted)
    parents = Parents(loaded, PARENT)
    assert [parents.among({each}) for each in ("A", "B", "X", "A")] == [{"A"}, {"B"}, set(), {"A"}]
    assert asked == [{"A"}, None]
