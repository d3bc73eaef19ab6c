"""What the warehouse says of the proofs of posted invoices, and the drafts of credit notes that follow from it."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.invoice import InvoiceDocument, InvoiceDocumentLine
from core.clock import utc_now
from core.ids import idempotency_key
from core.settings import ROOT, Settings
from orchestration.corrections import draft_corrections
from orchestration.platform import Platform
from state import attempts, credit_notes, outbox
from state.attempts import Receipt
from state.outbox_rows import NewEffect
from tests.integration.dbt_core.conftest import Row

NOW = datetime.fromisoformat("2026-11-12T12:00:00+00:00")


@pytest.fixture
def platform(warehouse: Path, tmp_path: Path) -> Platform:
    settings = Settings(home=tmp_path, connections=ROOT / "connections" / "sandbox")
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(warehouse, settings.warehouse)
    return Platform(settings)


def document_of(row: Row, pod_id: str, quantity: str) -> InvoiceDocument:
    """What was billed for a candidate when its proof was that one."""
    shipment = row["shipment_no"]
    line = InvoiceDocumentLine(
        line_id=f"O{shipment[1:]}-1", charge_key=f"{shipment}|O{shipment[1:]}-1|goods|1", order_line_id=None,
        item_id="I1", quantity=Decimal(quantity), uom="EA", net_price=Decimal(10),
        net_amount=Decimal(quantity) * 10, tax_code=None, tax_rate_percent=None, income_account=None,
    )  # fmt: skip
    key = idempotency_key("WBDE", "erp", "invoice", row["business_id"], 1)
    return InvoiceDocument(
        idempotency_key=key, business_id=row["business_id"], shipment_no=shipment, order_no=row["order_no"],
        company_id="WBDE", customer_id="C1", po_no=None, currency="EUR", issue_date=date(2026, 11, 12),
        delivery_date=None, pod_id=pod_id, payment_terms=None, net_total_amount=line.net_amount,
        tax_total_amount=Decimal(0), grand_total_amount=line.net_amount, lines=(line,),
    )  # fmt: skip


def bill(platform: Platform, document: InvoiceDocument, *states: str) -> None:
    """An invoice in the outbox, brought along the states; with its receipt when it is acknowledged."""
    effect = NewEffect(
        "WBDE", "erp", "invoice", document.business_id, 1, document.shipment_no, "d", document.canonical_bytes(),
        document.payload_hash(), "another content", "i", document.grand_total_amount, "EUR",
        tuple(line.charge_key for line in document.lines),
    )  # fmt: skip
    with platform.engine.begin() as db:
        outbox.enqueue(db, effect, NOW)
    for state in states:
        (row,) = outbox.of_keys(platform.engine, [effect.idempotency_key])
        with platform.engine.begin() as db:
            outbox.move(db, row, state, NOW)
    if "ACKED" in states:
        amounts: dict[str, Any] = {
            f"{name}_total_amount": getattr(document, f"{name}_total_amount")
            for name in ("net", "tax", "grand")
        }
        receipt = Receipt(
            effect.idempotency_key, "erp", "WBDE", document.business_id, 1, document.shipment_no,
            f"SINV-{document.shipment_no}", "C1", document.order_no, "EUR", **amounts,
            issue_date=document.issue_date, posted_at=NOW, read_back_at=utc_now(),
        )  # fmt: skip
        with platform.engine.begin() as db:
            attempts.keep_receipts(db, [receipt])


def test_voided_and_replaced_proofs_of_posted_invoices_make_drafts_and_no_others_do(
    platform: Platform, candidates: dict[str, Row]
) -> None:
    posted = ("SENDING", "ACKED")
    bill(platform, document_of(candidates["void"], "Pvoid", "10"), *posted)
    bill(platform, document_of(candidates["replaced"], "Preplaced-1", "4"), *posted)
    bill(platform, document_of(candidates["clean"], "Pclean", "10"), *posted)
    # replaced by nothing: nobody knows what was delivered
    bill(platform, document_of(candidates["orphaned"], "Porphaned-1", "10"), *posted)
    drafted = draft_corrections(platform, "run")
    told = {(each.shipment_no, each.cause, each.credited_erp_id, each.amount) for each in drafted}
    assert told == {
        ("Svoid", "voided", "SINV-Svoid", Decimal(-100)),
        ("Sreplaced", "superseded", "SINV-Sreplaced", Decimal(-40)),
    }
    note = json.loads(next(each for each in drafted if each.shipment_no == "Sreplaced").payload)
    assert (note["lines"][0]["quantity"], note["credited_erp_id"]) == ("-4", "SINV-Sreplaced")
    assert draft_corrections(platform, "next run") == []
    assert len(credit_notes.waiting(platform.engine)) == 2
    assert {row.operation for row in outbox.rows(platform.engine)} == {"invoice"}


def test_a_proof_that_was_voided_before_billing_makes_none(
    platform: Platform, candidates: dict[str, Row]
) -> None:
    bill(platform, document_of(candidates["void"], "Pvoid", "10"))
    assert draft_corrections(platform, "run") == []


def test_one_that_was_replaced_by_the_same_quantities_makes_none(
    platform: Platform, candidates: dict[str, Row]
) -> None:
    bill(platform, document_of(candidates["replaced"], "Preplaced-1", "10"), "SENDING", "ACKED")
    assert draft_corrections(platform, "run") == []
