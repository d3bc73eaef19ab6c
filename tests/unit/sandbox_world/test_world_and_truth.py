"""The world is the same for the same seed, speaks its dialects correctly, and its truth adds up."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import OtherWorldError, build
from sandbox.world.faults.registry import KINDS

_SPEC = Path(__file__).parents[4] / "shared/data/contracts/otm/otm-api-v5.6.yaml.gz"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world")
    build(path, 7, 120)
    return path


def _rows(home: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(home / "sandbox" / "world.sqlite")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def _truth(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "sandbox" / "truth.json").read_text())
    return found


def test_equal_arguments_give_equal_worlds_and_other_seeds_do_not(home: Path, tmp_path: Path) -> None:
    build(tmp_path / "again", 7, 120)
    build(tmp_path / "other", 8, 120)
    sql = "SELECT * FROM documents"
    assert _rows(home, sql) == _rows(tmp_path / "again", sql)
    assert _rows(home, sql) != _rows(tmp_path / "other", sql)
    assert _truth(home) == _truth(tmp_path / "again")


def test_a_home_with_another_world_is_refused_and_with_the_same_one_left_alone(home: Path) -> None:
    before = (home / "sandbox" / "world.sqlite").stat().st_mtime_ns
    build(home, 7, 120)
    assert (home / "sandbox" / "world.sqlite").stat().st_mtime_ns == before
    with pytest.raises(OtherWorldError, match="Remedy"):
        build(home, 8, 120)


def test_counts_of_every_source_add_up(home: Path) -> None:
    for name, counts in _truth(home)["sources"].items():
        parts = sum(counts[part] for part in ("loaded", "dead_lettered", "duplicate", "parked"))
        assert counts["rows_in"] == parts, name


def test_no_shipment_is_both_posted_and_blocked_and_every_planted_code_occurs(home: Path) -> None:
    invoices = _truth(home)["invoices"]
    posted = {each["shipment_no"] for each in invoices["post"]}
    blocked = {each["shipment_no"]: each["codes"] for each in invoices["block"]}
    assert posted and not posted & set(blocked)
    assert {code for kind in KINDS for code in kind.codes} <= {
        code for codes in blocked.values() for code in codes
    }


def test_nothing_becomes_visible_in_the_first_half_hour(home: Path) -> None:
    sql = "SELECT count(*) FROM documents WHERE visible_at > '2026-11-13T17:00:00.000000Z' AND visible_at < "
    assert _rows(home, sql + "'2026-11-13T17:30:00.000000Z'") == [(0,)]
    assert _rows(home, sql + "'2026-11-14T17:00:00.000000Z'")[0][0] > 0


@pytest.mark.skipif(not _SPEC.exists(), reason="the Open Trip Model specification is not here")
@pytest.mark.parametrize("collection", ["locations", "vehicles", "trips", "consignments", "actions"])
def test_dispatch_bodies_are_valid_open_trip_model(home: Path, collection: str) -> None:
    from jsonschema import Draft202012Validator

    spec = yaml.safe_load(gzip.decompress(_SPEC.read_bytes()))
    # The published file calls free attributes objects, and describes and uses them as any JSON.
    spec["components"]["schemas"]["unrestricted_json"] = {}
    bodies = _rows(home, f"SELECT body FROM documents WHERE collection = '{collection}' LIMIT 25")
    assert bodies
    for (text,) in bodies:
        body = json.loads(text)
        name = body["actionType"] if collection == "actions" else collection[:-1]
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        errors = [error.message for error in Draft202012Validator(schema).iter_errors(body)]
        assert not errors, errors[:1]
