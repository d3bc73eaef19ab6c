"""Which shipments are candidates, and on what proof."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate, InvoiceDocumentLine
from core.ids import surrogate_uuid
from tests.integration.dbt_core.conftest import Row, seen
from tests.support.deliveries import DELIVERED, DEPARTED, RECEIVED


def test_the_candidate_is_the_contract(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        table = connection.execute("SELECT * FROM candidates.invoice_candidates").to_arrow_table()
    found = {field.name: field.type for field in table.schema}
    wanted = {field.name: field.type for field in schema_of(InvoiceCandidate)}
    assert set(found) == set(wanted)
    assert {
        name for name, kind in wanted.items() if found[name] != kind and not pa.types.is_timestamp(kind)
    } == set()
    required = [field.name for field in schema_of(InvoiceCandidate) if not field.nullable]
    assert [name for name in required if table.column(name).null_count] == []


def test_a_clean_delivery_is_billed_as_delivered(candidates: dict[str, Row]) -> None:
    row = candidates["clean"]
    seen(row, business_id=surrogate_uuid("dispatch", "Sclean"), net_total_amount=Decimal(100),
         tax_total_amount=Decimal(19), grand_total_amount=Decimal(119), line_count=1, live_pod_count=1,
         conflicting_pod_count=0, short_line_count=0, over_ordered_line_count=0, external_invoice_id=None,
         possible_duplicate_invoice_id=None, posting_date=date(2026, 11, 13), delivery_date=date(2026, 11, 12),
         order_total_difference_amount=Decimal(0), missing_income_account_count=0, erp_connection="erp")  # fmt: skip
    line = InvoiceDocumentLine.model_validate(json.loads(row["lines_json"])[0])
    assert (line.charge_key, line.net_amount, line.quantity) == (
        "Sclean|Oclean-1|goods|1",
        Decimal(100),
        Decimal(10),
    )


def test_only_what_was_delivered_is_a_candidate(candidates: dict[str, Row]) -> None:
    assert {"pending", "both", "cancelled", "again-1", "history"}.isdisjoint(candidates)
    assert {"late", "again-2", "forgotten", "missing", "failed", "credited"} <= set(candidates)


def test_the_live_proof_is_neither_void_nor_replaced(candidates: dict[str, Row]) -> None:
    seen(candidates["void"], live_pod_count=0, pod_voided_at=RECEIVED, pod_id=None, is_pod_superseded=False)
    seen(candidates["replaced"], pod_id="Preplaced-2", live_pod_count=1, superseded_pod_count=1,
         conflicting_pod_count=0, delivered_quantity=Decimal(10))  # fmt: skip
    seen(candidates["conflict"], pod_id="Pconflict-2", live_pod_count=2, conflicting_pod_count=1)
    seen(candidates["orphaned"], live_pod_count=0, is_pod_superseded=True, pod_voided_at=None)
    seen(candidates["missing"], live_pod_count=0, pod_voided_at=None, line_count=0, lines_json="[]")


def test_evidence_is_counted_as_it_lies_under_seal(candidates: dict[str, Row]) -> None:
    row = candidates["damage"]
    seen(
        row,
        has_open_damage=True,
        sealed_signature_count=1,
        sealed_photo_count=0,
        evidence_hash_mismatch_count=1,
    )
    assert 11_000 < row["pod_distance_m"] < 11_300
    seen(candidates["clean"], has_open_damage=False, pod_distance_m=None)


def test_cancellation_before_and_after_the_departure(shipments: dict[str, Row]) -> None:
    seen(shipments["late"], is_cancelled_before_dispatch=False, departed_at=DEPARTED)
    seen(shipments["clean"], is_cancelled_before_dispatch=False, delivered_at=DELIVERED, region="North")
