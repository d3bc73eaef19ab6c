"""A warehouse that was built as its rows came in has the tables of one that was built at once."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import duckdb
import polars as pl
import pytest

from tests.reference.arrivals import Arrived, arrived
from tests.reference.compare import differences as restated_differences
from tests.reference.inputs import Inputs
from tests.reference.restatements import NUMBER, SAYS, Run, restatements
from tests.support.random_worlds.generate import generate, raw_rows
from tests.support.random_worlds.world import AS_OF, Row
from tests.support.tables import differences
from tests.support.warehouse import VERSION, append, create_raw_tables, insert_rows, parsed, query, run_dbt

SEED = int(os.environ.get("WAYBILL_WORLDS_SEED", "20261103"))
"""Try other worlds with another one: ``WAYBILL_WORLDS_SEED=7 pytest tests/integration/incremental``."""
_EVERYTHING = ("--select", "tag:before_gate", "tag:outbound", "tag:after_push", "--exclude-resource-type", "test",
               "--exclude-resource-type", "unit_test")  # fmt: skip
_LOADS = ("1700000000.0", "1700000100.0", "1700000200.0")
_INSTANTS = (AS_OF - timedelta(days=5), AS_OF - timedelta(days=2), AS_OF)
_OF_RESTATEMENTS = (
    *(f"{name}_{when}" for name in SAYS for when in ("before", "after")),
    "cause", "entity_count", "entities", "published_before_at", "restated_at",
)  # fmt: skip
_APART = {
    "*": ["as_of"],
    # What moves with every other invoice of the customer and with the clock stays as it was last judged.
    "candidates.int_candidate_balances": ["other_open_amount"],
    "candidates.int_candidate_facts": ["posting_date", "fx_rate_age_days", "customer_open_amount"],
    "candidates.invoice_candidates": [
        "posting_date",
        "fx_rate_age_days",
        "customer_open_amount",
        "input_hash",
    ],
}

Rows = dict[tuple[str, str], list[Row]]


def build(path: Path, part: int, builds_on: int | None = None) -> None:
    instants = {"as_of": _INSTANTS[part].isoformat()}
    if builds_on is not None:
        instants["builds_on"] = _INSTANTS[builds_on].isoformat()
    result = run_dbt(path, "build", *_EVERYTHING, manifest=parsed(path), **instants)
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) == "error"
    ]


def write(path: Path, rows: Rows, load: str) -> None:
    """These rows as one more load of each dataset. Waybill's own tables are given whole."""
    for dataset in sorted({f"raw_{kind}" for kind, _ in rows}):
        if load != _LOADS[0]:
            append(path, dataset, "_dlt_loads", [{"load_id": load, "status": 0}])
    arrival = {"_dlt_load_id": load, "ingested_at": AS_OF + timedelta(days=1 + _LOADS.index(load))}
    for (kind, resource), found in rows.items():
        arrived = [row | arrival for row in found]
        if kind in {"gate", "ledger"}:
            query(path, f"DELETE FROM raw_{kind}.{resource}")
            append(path, f"raw_{kind}", resource, [row | {"_dlt_load_id": load} for row in found])
        else:
            insert_rows(path, kind, resource, arrived)


def in_parts(rows: Rows, seed: int) -> list[Rows]:
    """Each row in one of three parts, by the dice; what Waybill notes grows from part to part. Units change their lorry
    while their positions come in."""
    dice = Random(seed)
    parts: list[Rows] = [{}, {}, {}]
    for (kind, resource), found in rows.items():
        for part in parts:
            part[kind, resource] = []
        for row in found:
            first = dice.choices([0, 1, 2], [50, 25, 25] if resource == "vehicles" else [98, 1, 1])[0]
            own = kind in {"gate", "ledger"}
            for number in range(first, 3) if own else [first]:
                parts[number][kind, resource].append(row)
    return parts


@pytest.fixture(scope="module")
def rows() -> Rows:
    return raw_rows(generate(SEED))


@pytest.fixture(scope="module")
def once(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("once") / "warehouse.duckdb"
    create_raw_tables(path)
    for part, load in zip(in_parts(rows, SEED), _LOADS, strict=True):
        write(path, part, load)
    build(path, 2)
    return path


class Built(NamedTuple):
    """A warehouse that was built three times, and what each build published."""

    path: Path
    runs: list[Run]


@pytest.fixture(scope="module")
def built(rows: Rows, tmp_path_factory: pytest.TempPathFactory) -> Built:
    found = Built(tmp_path_factory.mktemp("parts") / "warehouse.duckdb", [])
    create_raw_tables(found.path)
    known: list[Inputs] = []
    so_far: Rows = {}
    for number, (part, load) in enumerate(zip(in_parts(rows, SEED), _LOADS, strict=True)):
        write(found.path, part, load)
        build(found.path, number, number - 1 if number else None)
        so_far = together(so_far, part)
        known.append(Inputs(so_far, _INSTANTS[number], VERSION))
        facts, values = (
            read(found.path, f"SELECT * FROM marts.{name}") for name in ("kpi_facts", "kpi_values")
        )
        news = arrived(known[-2], known[-1]) if number else Arrived()
        found.runs.append(Run(_INSTANTS[number], facts, values, news))
    return found


def together(so_far: Rows, part: Rows) -> Rows:
    """All that has come in; Waybill's own tables are given whole."""
    return {
        (kind, name): found if kind in {"gate", "ledger"} else [*so_far.get((kind, name), []), *found]
        for (kind, name), found in part.items()
    }


def read(path: Path, sql: str) -> pl.DataFrame:
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(sql).pl()


@pytest.fixture(scope="module")
def parts(built: Built) -> Path:
    return built.path


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(
        f"{name}: {len(rows)} rows\n  " + "\n  ".join(each[:600] for each in rows[:3])
        for name, rows in found.items()
    )


def test_every_table_is_equal_to_the_row(parts: Path, once: Path) -> None:
    found = differences(parts, once, _APART)
    # What was published before cannot be computed again: it is history, and only the parts have one.
    found.pop("marts.kpi_restatements", None)
    assert not found, told(found)


def test_each_number_that_changed_after_its_period_says_what_it_was_and_why(built: Built) -> None:
    ours = restatements(built.runs)
    theirs = read(built.path, "SELECT * FROM marts.kpi_restatements")
    found = restated_differences(ours, theirs, (*NUMBER, "version"), _OF_RESTATEMENTS)
    assert not found, "\n".join([f"seed {SEED}: {len(found)} differences", *found[:20]])
    assert set(theirs["cause"]) == {"late event", "correction", "definition or deadline"}, f"seed {SEED}"
    assert set(theirs["version"]) >= {1, 2, 3}, f"seed {SEED}"
    gone, come = (theirs.filter(pl.col(f"n_{when}") == 0) for when in ("after", "before"))
    assert min(len(gone), len(come), len(theirs.filter(pl.col("entity_count") > 20))) > 0, f"seed {SEED}"


def test_what_nothing_new_names_is_not_built_again(parts: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(parts, path)
    query(path, "UPDATE canonical.canonical_orders SET po_no = 'as it stood'")
    query(path, "UPDATE marts.fct_shipments SET status = 'as it stood'")
    build(path, 2, 2)
    for table, column, kind, nodes in (
        ("canonical.canonical_orders", "po_no", "order", "touched"),
        ("marts.fct_shipments", "status", "shipment", "touched_by_push"),
    ):
        counted = query(
            path,
            f"SELECT coalesce({column} = 'as it stood', false) AS stood, hash('{kind}', {kind}_no) IN "
            f"(SELECT node FROM changes.{nodes}) AS touched, count(*) AS rows FROM {table} GROUP BY ALL",
        )
        assert {(row["stood"], row["touched"]) for row in counted} == {(True, False), (False, True)}, counted


def test_a_table_that_somebody_dropped_is_not_made_of_the_news_alone(parts: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(parts, path)
    query(path, "DROP TABLE marts.fct_shipments")
    result = run_dbt(
        path, "run", "--select", "fct_shipments", manifest=parsed(path),
        as_of=_INSTANTS[2].isoformat(), builds_on=_INSTANTS[2].isoformat(),
    )  # fmt: skip
    assert not result.success
    assert "waybill run --full-refresh" in str(result.result.results[0].message)
