"""After the gate: what became of the proofs that posted invoices rest on, read for the drafts of credit notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.warehouse import open_warehouse
from orchestration.platform import Platform

if TYPE_CHECKING:
    from state.credit_notes import CreditNote

_CANDIDATES = """
    SELECT business_id, pod_id, grand_total_amount, content_hash, lines_json
    FROM candidates.invoice_candidates
"""
_PROOFS = "SELECT pod_id, voided_at FROM canonical.canonical_proofs_of_delivery"


def draft_corrections(platform: Platform, run_id: str) -> list[CreditNote]:
    """Draft the credit notes that voided and replaced proofs call for; the new drafts, each waiting for a person."""
    from activation import corrections
    from state.heads import signed_after
    from state.observations import business_now

    with open_warehouse(platform.settings, f"corrections of {run_id}") as warehouse:
        candidates: list[dict[str, Any]] = warehouse.execute(_CANDIDATES).to_arrow_table().to_pylist()
        proofs: list[dict[str, Any]] = warehouse.execute(_PROOFS).to_arrow_table().to_pylist()
    with signed_after(platform.settings, platform.engine):
        return corrections.draft_corrections(
            platform.engine,
            {each["business_id"]: each for each in candidates},
            {each["pod_id"]: each for each in proofs},
            business_now(platform.engine),
        )
