"""A home in which nothing was parsed yet takes what another has made of the very same files, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.settings import Settings
from orchestration import column_metadata, project_cache
from orchestration.dbt_runner import parse

MADE = "partial_parse.msgpack"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A target in which dbt left something that was kept as of the runs' definitions ``d``."""
    monkeypatch.setattr(project_cache, "CACHE", tmp_path / "cache")
    target = tmp_path / "made"
    target.mkdir()
    (target / MADE).write_bytes(b"made of d")
    project_cache.keep(target / MADE, "runs", "d")
    return target


def test_a_new_home_has_what_was_made_of_these_files(made: Path, tmp_path: Path) -> None:
    project_cache.fetch(tmp_path / "new" / MADE, "runs", "d")
    assert (tmp_path / "new" / MADE).read_bytes() == b"made of d"


@pytest.mark.parametrize(("kind", "definitions"), [("runs", "e"), ("events", "d")])
def test_what_was_made_of_others_is_not_taken(
    made: Path, tmp_path: Path, kind: str, definitions: str
) -> None:
    project_cache.fetch(tmp_path / "new" / MADE, kind, definitions)
    assert not (tmp_path / "new").exists()


def test_another_project_folder_has_its_own(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_cache, "ROOT", tmp_path / "moved")
    project_cache.fetch(tmp_path / "new" / MADE, "runs", "d")
    assert not (tmp_path / "new").exists()


def test_what_a_home_has_stays(made: Path) -> None:
    (made / MADE).write_bytes(b"its own")
    project_cache.fetch(made / MADE, "runs", "d")
    assert (made / MADE).read_bytes() == b"its own"


def test_what_was_made_of_other_files_goes_and_that_of_the_other_kind_stays(
    made: Path, tmp_path: Path
) -> None:
    project_cache.keep(made / MADE, "events", "d")
    project_cache.keep(made / MADE, "runs", "e")
    kinds = sorted(path.name.partition("-")[0] for path in project_cache.CACHE.iterdir())
    assert kinds == ["events", "runs"]
    project_cache.fetch(tmp_path / "new" / MADE, "runs", "d")
    assert not (tmp_path / "new").exists()


def test_where_nothing_can_be_kept_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(project_cache, "CACHE", tmp_path / "file" / "cache")
    (tmp_path / MADE).touch()
    project_cache.keep(tmp_path / MADE, "runs", "d")
    project_cache.fetch(tmp_path / "new" / MADE, "runs", "d")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("event_path", [False, True])
def test_the_second_home_parses_no_file_and_has_the_same(tmp_path: Path, event_path: bool) -> None:
    one, other = (Settings(home=tmp_path / name) for name in ("one", "other"))
    first, second = (parse(each, event_path=event_path) for each in (one, other))
    assert first is not second
    assert {key: node.to_dict() for key, node in first.nodes.items()} == {
        key: node.to_dict() for key, node in second.nodes.items()
    }
    [found] = other.dbt_target.rglob("perf_info.json")
    assert json.loads(found.read_text(encoding="utf-8"))["parsed_path_count"] == 0
    [kept] = other.dbt_target.rglob(MADE)
    assert str(tmp_path).encode() not in kept.read_bytes()


MODEL = "model.waybill.orders"
CATALOGUE = {"raw": {"orders": {"price": "DECIMAL"}}, "more": {}}
MANIFEST = {
    "nodes": {MODEL: {"checksum": {"checksum": "1"}, "schema": "marts", "alias": "orders"}},
    "macros": {},
}


def traced(home: Path, catalogue: column_metadata.Catalogue) -> column_metadata.Lineage:
    settings = Settings(home=home)
    settings.dbt_target.mkdir(parents=True)
    return column_metadata.trace(settings, MANIFEST, "tag", {MODEL: "select * from raw.orders"}, catalogue)


@pytest.mark.parametrize("is_other", [False, True], ids=["the same relations", "a column more"])
def test_a_new_home_traces_only_what_no_other_has_traced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_other: bool
) -> None:
    monkeypatch.setattr(project_cache, "CACHE", tmp_path / "cache")
    first = traced(tmp_path / "one", CATALOGUE)
    assert first == {MODEL: {"columns": {"price": [["raw", "orders", "price"]]}, "json": {}}}
    calls = []
    true = column_metadata._traced_all
    monkeypatch.setattr(column_metadata, "_traced_all", lambda *given: calls.append(given) or true(*given))
    more = {"raw": {"orders": {"price": "DECIMAL", "rate": "DECIMAL"}}}
    second = traced(tmp_path / "two", more if is_other else CATALOGUE)
    assert (len(calls), set(second[MODEL]["columns"])) == (
        (1, {"price", "rate"}) if is_other else (0, {"price"})
    )
