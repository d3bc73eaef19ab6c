"""What became of the proofs that posted invoices rest on: read after the gate, for the drafts of credit notes, and again
when one is approved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

from core.clock import utc_now
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


def approve(platform: Platform, named: str, actor: str, reason: str) -> CreditNote:
    """Grant a draft, after a fresh look at what it was made for; PermanentFailure when that is gone, or nobody can tell."""
    from activation import corrections
    from state import credit_notes
    from state.heads import signed_after

    with signed_after(platform.settings, platform.engine):
        note = credit_notes.named(platform.engine, named)
        candidate, proof = (None, None) if note.cause == "asked" else _today(platform, note)
        corrections.confirm(platform.engine, note, candidate, proof, utc_now())
        return credit_notes.answer(platform.engine, note.idempotency_key, "granted", actor, reason, utc_now())


def _today(platform: Platform, note: CreditNote) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The candidate of the invoice and the proof that it names, as the warehouse has them; None what it does not have."""
    from contracts.invoice import CreditNoteDocument

    document = CreditNoteDocument.model_validate_json(note.payload)
    if not platform.settings.warehouse.exists():
        return None, None
    with open_warehouse(platform.settings, f"approval of {note.shipment_no}") as warehouse:
        try:
            found = [
                warehouse.execute(f"{query} WHERE {column} = ?", [wanted]).to_arrow_table().to_pylist()
                for query, column, wanted in (
                    (_CANDIDATES, "business_id", document.business_id),
                    (_PROOFS, "pod_id", document.pod_id),
                )
            ]
        except duckdb.CatalogException:
            return None, None
    candidate, proof = (rows[0] if rows else None for rows in found)
    return candidate, proof
