"""A warehouse that was built as its rows came in has the tables of one that was built at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.integration.incremental.conftest import INSTANTS, SEED, Built, build, read
from tests.reference.compare import differences as restated_differences
from tests.reference.restatements import NUMBER, SAYS, restatements
from tests.support.plans import FEW, FEW_OF_WHAT_CAME, all_pairs, tables_of
from tests.support.tables import AS_LAST_JUDGED, differences
from tests.support.warehouse import query, run_dbt

pytestmark = pytest.mark.long

_OF_RESTATEMENTS = (
    *(f"{name}_{when}" for name in SAYS for when in ("before", "after")),
    "cause", "entity_count", "entities", "published_before_at", "restated_at",
)  # fmt: skip


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(
        f"{name}: {len(rows)} rows\n  " + "\n  ".join(each[:600] for each in rows[:3])
        for name, rows in found.items()
    )


def test_every_table_is_equal_to_the_row(parts: Path, once: Path) -> None:
    found = differences(parts, once, AS_LAST_JUDGED)
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


def test_facts_of_a_lorrys_day_that_is_as_it_was_are_not_built_again(parts: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(parts, path)
    query(path, "UPDATE marts.kpi_facts SET why = 'as it stood' WHERE entity_type = 'vehicle_day'")
    # One of the days is another than the last build left it.
    (day,) = query(
        path,
        "UPDATE changes.seen_vehicle_days SET distance_km = distance_km + 1 WHERE vehicle_day_key = "
        "(SELECT min(entity_id) FROM marts.kpi_facts WHERE entity_type = 'vehicle_day') RETURNING vehicle_day_key AS key",
    )
    build(path, 2, 2)
    counted = query(
        path,
        "SELECT coalesce(why = 'as it stood', false) AS stood, hash('vehicle_day', entity_no) IN (SELECT node FROM "
        "changes.touched_vehicle_days UNION ALL SELECT node FROM changes.touched_by_push) AS touched, "
        f"coalesce(bool_or(entity_id = '{day['key']}'), false) AS has_it, count(*) AS rows "
        "FROM marts.kpi_facts WHERE entity_type = 'vehicle_day' GROUP BY ALL",
    )
    found = {(row["stood"], row["touched"], row["has_it"]) for row in counted}
    assert found == {(True, False, False), (False, True, True)}, counted


def test_numbers_of_periods_that_nothing_touched_stay_as_they_were(parts: Path) -> None:
    counted = query(
        parts,
        f"""
        SELECT as_of = TIMESTAMPTZ '{INSTANTS[2].isoformat()}' AS is_new, EXISTS (
            SELECT 1 FROM intermediate.int_kpi_changed_periods AS changed
            WHERE changed.metric = numbers.metric AND changed.variant = numbers.variant
                AND changed.grain = numbers.grain AND changed.period_start IS NOT DISTINCT FROM numbers.period_start
        ) AS is_changed, count(*) AS rows
        FROM marts.kpi_values AS numbers GROUP BY ALL
        """,
    )
    assert {(row["is_new"], row["is_changed"]) for row in counted} == {(True, True), (False, False)}, counted


def test_rows_meet_by_equal_columns_also_where_a_build_goes_on_from_another(parts: Path) -> None:
    """A day that came in is compared with every row of its year no more than the year is with itself."""
    whole = dict(tables_of(parts, INSTANTS[2]))
    part = dict(tables_of(parts, INSTANTS[2], builds_on=INSTANTS[1]))
    assert part.keys() == whole.keys() and sum(part[name] != whole[name] for name in whole) > 50
    found = {name: pairs for name, sql in part.items() if (pairs := all_pairs(parts, sql))}
    unnamed = {name for name in found if not name.startswith("dim_")} - set(FEW) - set(FEW_OF_WHAT_CAME)
    assert not unnamed, {name: found[name] for name in unnamed}


def test_a_table_that_somebody_dropped_is_not_made_of_the_news_alone(parts: Path, tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(parts, path)
    query(path, "DROP TABLE marts.fct_shipments")
    result = run_dbt(
        path, "run", "--select", "fct_shipments",
        as_of=INSTANTS[2].isoformat(), builds_on=INSTANTS[2].isoformat(),
    )  # fmt: skip
    assert not result.success
    assert "waybill run --full-refresh" in str(result.result.results[0].message)
