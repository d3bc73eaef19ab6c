"""No model compares every row of one table with every row of another: that is what a year of rows does not survive."""

from __future__ import annotations

from pathlib import Path

from tests.integration.incremental.conftest import INSTANTS
from tests.support.plans import FEW, all_pairs, conditions, tables_of


def test_rows_meet_by_equal_columns(once: Path) -> None:
    found = {name for name, sql in tables_of(once, INSTANTS[2]) if all_pairs(once, sql)}
    # The names that two systems have for one master record.
    masters = {name for name in found if name.startswith("dim_")}
    assert masters and found - masters <= set(FEW)


def test_a_number_finds_the_rows_that_moved_it_by_its_whole_key(once: Path) -> None:
    """By its metric alone it would be compared with every row of the metric: a year that comes in late did not end."""
    sql = dict(tables_of(once, INSTANTS[2]))["kpi_restatements"]
    by_metric = [each for each in conditions(once, sql) if "metric = metric" in each]
    key = ("grain", "period_start", "dimension", "dimension_value")
    assert by_metric and all(f"{name} = {name}" in each for each in by_metric for name in key)


def test_a_condition_that_no_join_can_look_up_is_found(once: Path) -> None:
    by_either = """
        SELECT count(*) FROM canonical.canonical_shipments AS one
        LEFT JOIN canonical.canonical_shipments AS other
        ON one.company_id = other.company_id AND (one.shipment_no = other.shipment_no OR one.order_no = other.order_no)
    """
    by_each = by_either.replace(
        "(one.shipment_no = other.shipment_no OR one.order_no = other.order_no)",
        "one.order_no = other.order_no",
    )
    assert all_pairs(once, by_either) == {"BLOCKWISE_NL_JOIN"}
    assert not all_pairs(once, by_each)
