"""Late, doubled and reordered messages end in one state, whatever the order in which they came.

Hypothesis draws the worlds; all of them go through the models at once, because a build is what costs time. Each
world holds versions out of order, statuses that go back, deletions, proofs that are voided and replaced, EPCIS events
declared wrong, and things that happen at one instant. One warehouse hears everything once and in order. The other
hears it shuffled, partly twice, in two loads with a build after each, beside what a dead load left.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.arrivals import Message, first_half, in_order, second_half, worlds
from tests.support.warehouse import query, run_dbt

EXAMPLES = 200
SEED = os.environ.get("WAYBILL_WORLDS_SEED")
"""Draw other worlds with one: ``WAYBILL_WORLDS_SEED=7 pytest`` this file."""
AS_OF = "2026-11-13T17:00:00+00:00"
SCHEMAS = ("canonical", "candidates")
ARRIVAL = {"ingested_at", "run_id"}
"""Columns that say when and in which run a row came: they may differ."""
FIRST_HEARD = {("canonical_delivery_events", "received_at")}
"""And this one says since when we have known of an event."""


def _drawn() -> list[tuple[Message, ...]]:
    """The same worlds in every run, unless a seed is given."""
    found: list[tuple[Message, ...]] = []

    @settings(
        max_examples=EXAMPLES, derandomize=SEED is None, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(worlds())
    def collect(world: tuple[Message, ...]) -> None:
        found.append(world)

    (seed(int(SEED))(collect) if SEED else collect)()
    return found


def _build(path: Path) -> None:
    more = {"as_of": AS_OF, "go_live_at": None}
    result = run_dbt(path, "build", "--select", "tag:before_gate", "--exclude-resource-type", "unit_test",
                     "--exclude-resource-type", "test", **more)  # fmt: skip
    assert result.success, result.exception or [
        (each.node.name, each.message) for each in result.result if str(each.status) == "error"
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[tuple[Message, ...]], Path, Path]:
    every, chance = _drawn(), Random(int(SEED or 20261113))
    tidy = tmp_path_factory.mktemp("tidy") / "warehouse.duckdb"
    in_order(tidy, every)
    _build(tidy)
    untidy = tmp_path_factory.mktemp("untidy") / "warehouse.duckdb"
    late = first_half(untidy, every, chance)
    _build(untidy)
    second_half(untidy, late, chance)
    _build(untidy)
    return every, tidy, untidy


def _differences(tidy: Path, untidy: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Rows that stand in one warehouse and not in the other, by table; tables without any are left out."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect(":memory:") as both:
        both.execute("SET TimeZone = 'UTC'")
        both.execute(f"ATTACH '{tidy}' AS tidy (READ_ONLY)")
        both.execute(f"ATTACH '{untidy}' AS untidy (READ_ONLY)")
        for schema, table in both.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = 'tidy' AND schema_name IN (SELECT unnest(?)) ORDER BY ALL", [list(SCHEMAS)]
        ).fetchall():  # fmt: skip
            columns = [
                f'"{row[0]}"'
                for row in both.execute(
                    "SELECT column_name FROM duckdb_columns() WHERE database_name = 'tidy' "
                    "AND schema_name = ? AND table_name = ? ORDER BY column_index", [schema, table]
                ).fetchall()
                if row[0] not in ARRIVAL and (table, row[0]) not in FIRST_HEARD
            ]  # fmt: skip
            one, other = (
                f"SELECT {', '.join(columns)} FROM {side}.{schema}.{table}" for side in ("tidy", "untidy")
            )
            rows = both.execute(f"({one} EXCEPT ALL {other}) UNION ALL ({other} EXCEPT ALL {one})").fetchall()
            if rows:
                found[table] = rows
    return found


def _worlds_of(differences: dict[str, list[tuple[Any, ...]]]) -> set[int]:
    """The numbers of the worlds that rows speak of, by their orders and shipments."""
    text = repr(differences)
    return {int(number) for number in re.findall(r"'[OS](\d+)(?:-\d)?'", text)}


def test_any_order_of_arrival_ends_in_one_state(
    built: tuple[list[tuple[Message, ...]], Path, Path],
) -> None:
    every, tidy, untidy = built
    differences = _differences(tidy, untidy)
    smallest = min((every[number] for number in _worlds_of(differences)), key=len, default=())
    assert not differences, (
        {table: (len(rows), rows[:2]) for table, rows in differences.items()},
        *smallest,
    )


def test_the_worlds_hold_what_arrival_could_change(
    built: tuple[list[tuple[Message, ...]], Path, Path],
) -> None:
    """Else the property would hold of nothing."""
    every, tidy, _ = built
    assert len(every) >= EXAMPLES
    for what, sql in {
        "orders that went back from closed": "SELECT 1 FROM raw_erp.orders AS old JOIN raw_erp.orders AS new "
        "USING (order_id) WHERE old.status = 'closed' AND new.status = 'draft' "
        "AND new.source_version > old.source_version",
        "deleted orders": "FROM canonical.canonical_orders WHERE status = 'cancelled'",
        "replaced proofs": "FROM canonical.canonical_proofs_of_delivery WHERE is_superseded",
        "voided proofs": "FROM canonical.canonical_proofs_of_delivery WHERE voided_at IS NOT NULL",
        "proofs of one instant": "SELECT 1 FROM canonical.canonical_proofs_of_delivery WHERE is_live "
        "GROUP BY shipment_no, captured_at HAVING count(*) > 1",
        "events declared wrong": "FROM canonical.canonical_delivery_event_errors",
        "corrections": "FROM canonical.canonical_delivery_events WHERE corrects_event_id IS NOT NULL",
        "exceptions opened again": "FROM canonical.canonical_exceptions WHERE reopen_count > 0",
        "candidates": "FROM candidates.invoice_candidates",
    }.items():
        assert query(tidy, sql), f"no world has {what}"


def test_one_value_that_differs_is_found(
    built: tuple[list[tuple[Message, ...]], Path, Path], tmp_path: Path
) -> None:
    _, tidy, _ = built
    copy = Path(shutil.copy(tidy, tmp_path / "copy.duckdb"))
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "UPDATE canonical.canonical_shipments SET ingested_at = ingested_at + INTERVAL 1 DAY"
        )
    assert not _differences(tidy, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(
            "UPDATE canonical.canonical_shipments SET status = 'draft' WHERE shipment_no = 'S7'"
        )
    found = _differences(tidy, copy)
    assert set(found) == {"canonical_shipments"}
    assert _worlds_of(found) == {7}
