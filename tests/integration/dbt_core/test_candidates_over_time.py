"""What another version, another day and another decision change, and what they do not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.integration.dbt_core.conftest import AS_OF, Row, build, seen
from tests.integration.dbt_core.edges import LATER
from tests.support.deliveries import DEPARTED, RECEIVED, order_line
from tests.support.warehouse import append, insert_rows, query, run_dbt


def test_a_late_older_version_and_its_lines_do_not_count(warehouse: Path, candidates: dict[str, Row]) -> None:
    seen(candidates["versions"], net_total_amount=Decimal(100), order_total_amount=Decimal(100), po_no=None)
    half = query(warehouse, "SELECT order_no FROM canonical.canonical_orders WHERE order_no = 'Ohalf'")
    assert half == []


def test_an_unknown_order_leaves_a_candidate_without_amounts(candidates: dict[str, Row]) -> None:
    seen(
        candidates["unknown"],
        order_no="Ounknown",
        order_status=None,
        grand_total_amount=None,
        customer_id=None,
    )


def test_time_alone_changes_no_hash_and_a_new_price_does(
    warehouse: Path, candidates: dict[str, Row], tmp_path: Path
) -> None:
    copy = tmp_path / warehouse.name
    copy.write_bytes(warehouse.read_bytes())
    insert_rows(copy, "erp", "orders", [{"order_id": "Opart", "customer_id": "C1", "currency": "EUR",
                "status": "confirmed", "company_id": "WBDE", "ordered_at": DEPARTED, "source_version": LATER}])  # fmt: skip
    changed = order_line("Opart-1", "10", "11") | {"order_id": "Opart", "line_no": 1, "source_version": LATER}
    insert_rows(copy, "erp", "order_lines", [changed])
    build(copy, as_of="2026-11-20T09:00:00+00:00")
    later = {
        row["shipment_no"][1:]: row for row in query(copy, "SELECT * FROM candidates.invoice_candidates")
    }
    differing = {name for name, row in later.items() if row["input_hash"] != candidates[name]["input_hash"]}
    assert differing == {"part"}
    assert later["part"]["content_hash"] != candidates["part"]["content_hash"]
    assert later["clean"]["posting_date"] == date(2026, 11, 20)


def decision(row: Row, sequence: int, **changes: Any) -> Row:
    return {
        "sequence": sequence, "decision_id": f"d{sequence}", "business_id": row["business_id"], "revision": 1,
        "shipment_no": row["shipment_no"], "verdict": "released", "codes": "[]", "warnings": "[]", "reasons": "[]",
        "input_hash": row["input_hash"], "content_hash": row["content_hash"], "decided_at": RECEIVED,
    } | changes  # fmt: skip


def test_only_the_latest_release_on_the_same_inputs_goes_out(
    warehouse: Path, candidates: dict[str, Row], tmp_path: Path
) -> None:
    copy = tmp_path / warehouse.name
    copy.write_bytes(warehouse.read_bytes())
    append(copy, "raw_gate", "decisions", [
        decision(candidates["clean"], 1, verdict="blocked"),
        decision(candidates["clean"], 2),
        decision(candidates["part"], 3),
        decision(candidates["part"], 4, verdict="blocked"),
        decision(candidates["full"], 5, input_hash="of other inputs"),
    ])  # fmt: skip
    build(copy, "outbound")
    rows = query(copy, "SELECT * FROM outbound.outbound_erp__invoices")
    assert [(row["shipment_no"], row["decision_id"], row["destination"]) for row in rows] == [
        ("Sclean", "d2", "erp")
    ]


def test_the_unit_tests_beside_the_models_pass(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"  # views name the file they were made in
    copy.write_bytes(warehouse.read_bytes())
    result = run_dbt(copy, "test", "--select", "test_type:unit,tag:before_gate", as_of=AS_OF)
    assert result.success, [(each.node.name, each.message) for each in result.result.results]
    assert len(result.result.results) >= 7
