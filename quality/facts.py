"""State-derived columns: what the outbox, the dead letters and the sources say about each candidate.

Belongs here: looking things up and putting them beside the candidate. Whether they matter is a rule's word.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from statistics import median
from typing import Any

import pyarrow as pa

from quality.context import GateContext, Key, Posted
from quality.intake import Intake
from quality.policy import Policy
from state.approvals import Approval

MONEY = pa.decimal128(38, 4)
SCHEMA = pa.schema(
    {
        "row_no": pa.int64(),
        "outbox_state": pa.string(),
        "posted_content_hash": pa.string(),
        "doubly_billed_charge_count": pa.int64(),
        "doubly_billed_charges": pa.string(),
        "conflicting_refs": pa.string(),
        "mismatched_refs": pa.string(),
        "broken_inputs": pa.string(),
        "stale_sources": pa.string(),
        "is_erp_available": pa.bool_(),
        "unfit_columns": pa.string(),
        "ruleset_version": pa.string(),
        "approved_ruleset_version": pa.string(),
        "invoice_limit_amount": MONEY,
        "batch_count": pa.int64(),
        "batch_count_limit": pa.int64(),
        "batch_amount": MONEY,
        "batch_amount_limit": MONEY,
        "approval_id": pa.int64(),
        "approved_codes": pa.string(),
        "approved_by": pa.string(),
    }
)
POSTED = frozenset({"ACKED", "RECONCILED"})
NOT_BILLING = frozenset({"DRAFT", "BLOCKED", "CANCELLED", "DEAD"})
"""States in which a row of the outbox bills nothing and will not by itself."""
CONFLICT = "VERSION_CONFLICT"
MISMATCH = "EVIDENCE_HASH_MISMATCH"
_OWN_RULE = {CONFLICT, MISMATCH}
"""Reasons of dead letters that a rule of their own tells."""


def facts(intake: Intake, context: GateContext, policy: Policy, ruleset_version: str) -> pa.Table:
    """One row per candidate, in its order, with the columns of ``SCHEMA``."""
    rows = intake.table.select(
        ["business_id", "revision", "input_hash", "order_no", "order_status", "shipment_no", "erp_connection",
         "currency", "grand_total_amount", "lines_json"]
    ).to_pylist()  # fmt: skip
    billed = _billed(context.outbox)
    batch = _Batch(rows, context, policy)
    found = []
    for row_no, row in enumerate(rows):
        key: Key = (row["business_id"], row["revision"])
        found.append(
            {
                "row_no": row_no,
                "unfit_columns": ", ".join(intake.unfit[row_no]) or None,
                "ruleset_version": ruleset_version,
                "approved_ruleset_version": context.rules.version or None,
                "invoice_limit_amount": policy.invoice_limit_amount.get(row["currency"] or ""),
                "is_erp_available": context.destinations.get(row["erp_connection"] or "", False),
                "stale_sources": _stale(row, context),
                **_outbox(context.outbox.get(key)),
                **_doubly_billed(row["lines_json"], key, billed),
                **_letters(row, context),
                **batch.limits(row["currency"]),
                **_approved(context.approvals.get(key), row["input_hash"], ruleset_version),
            }
        )
    return pa.Table.from_pylist(found, schema=SCHEMA)


def _outbox(entry: Posted | None) -> dict[str, Any]:
    if entry is None:
        return {"outbox_state": None, "posted_content_hash": None}
    posted = entry.content_hash if entry.state in POSTED else None
    return {"outbox_state": entry.state, "posted_content_hash": posted}


def _approved(approval: Approval | None, input_hash: str, ruleset_version: str) -> dict[str, Any]:
    """What a second person let pass on these very inputs, by these very rules."""
    if approval is None or not approval.holds_for(input_hash, ruleset_version):
        return {"approval_id": None, "approved_codes": None, "approved_by": None}
    return {
        "approval_id": approval.approval_id,
        "approved_codes": " ".join(approval.codes),
        "approved_by": f"{approval.answered_by}, asked by {approval.asked_by}",
    }


def _billed(outbox: Mapping[Key, Posted]) -> dict[str, set[Key]]:
    """Charge key → the outbox rows that bill it, or are about to."""
    billed: dict[str, set[Key]] = defaultdict(set)
    for key, entry in outbox.items():
        if entry.state not in NOT_BILLING:
            for charge in entry.charge_keys:
                billed[charge].add(key)
    return billed


def charge_keys(lines_json: str | None) -> list[str]:
    """The charge keys of a candidate's lines; an unreadable text has none and fails on its totals."""
    try:
        lines = json.loads(lines_json or "[]")
    except json.JSONDecodeError:
        return []
    return [str(line["charge_key"]) for line in lines if isinstance(line, dict) and "charge_key" in line]


def _doubly_billed(lines_json: str | None, key: Key, billed: Mapping[str, set[Key]]) -> dict[str, Any]:
    elsewhere = [
        f"{charge} by {' and '.join(sorted(other[0] for other in billed[charge] - {key}))}"
        for charge in (charge_keys(lines_json) if billed else [])
        if billed.get(charge, set()) - {key}
    ]
    return {
        "doubly_billed_charge_count": len(elsewhere),
        "doubly_billed_charges": ", ".join(elsewhere) or None,
    }


def _letters(row: Mapping[str, Any], context: GateContext) -> dict[str, Any]:
    """Open dead letters of the order and the shipment; an order that is not there at all counts as broken."""
    order = context.order_letters.get(row["order_no"] or "", frozenset())
    shipment = context.shipment_letters.get(row["shipment_no"] or "", frozenset())
    broken = [
        *(f"order {row['order_no']}: {reason}" for reason in sorted(order - _OWN_RULE)),
        *(f"shipment {row['shipment_no']}: {reason}" for reason in sorted(shipment - _OWN_RULE)),
    ]
    refs = ((f"order {row['order_no']}", order), (f"shipment {row['shipment_no']}", shipment))
    conflicts = [name for name, reasons in refs if CONFLICT in reasons]
    mismatches = [name for name, reasons in refs[1:] if MISMATCH in reasons]
    if row["order_status"] is None and not broken and not conflicts:
        broken = [f"order {row['order_no'] or 'not named'}: not known"]
    return {
        "broken_inputs": "; ".join(broken) or None,
        "conflicting_refs": ", ".join(conflicts) or None,
        "mismatched_refs": ", ".join(mismatches) or None,
    }


def _stale(row: Mapping[str, Any], context: GateContext) -> str | None:
    needed = set(context.sources.get(row["business_id"] or "", context.default_sources))
    if row["erp_connection"] is not None:
        needed.add(row["erp_connection"])
    told = [f"{name} ({context.stale[name]})" for name in sorted(needed) if name in context.stale]
    return ", ".join(told) or None


class _Batch:
    """Size of the new part of the batch against what is usual. New: never judged, or held as an outlier."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], context: GateContext, policy: Policy) -> None:
        self._policy = policy.batch
        self._history = context.history
        self.count = 0
        self.amount: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            before = context.previous.get((row["business_id"], row["revision"]))
            if before is None or "BATCH_OUTLIER" in before.codes:
                self.count += 1
                self.amount[row["currency"]] += row["grand_total_amount"] or Decimal(0)

    def limits(self, currency: str | None) -> dict[str, Any]:
        """The columns of BATCH_OUTLIER for a candidate in this currency."""
        counts = [Decimal(run.count) for run in self._history]
        amounts = [run.amount[currency] for run in self._history if currency and currency in run.amount]
        terms = self._policy
        return {
            "batch_count": self.count,
            "batch_count_limit": int(
                self._limit(counts, Decimal(terms.usual_count), Decimal(terms.max_count))
            ),
            "batch_amount": self.amount.get(currency or "", Decimal(0)),
            "batch_amount_limit": self._limit(amounts, terms.usual_amount, terms.max_amount),
        }

    def _limit(self, before: list[Decimal], usual: Decimal, most: Decimal) -> Decimal:
        if len(before) < self._policy.history_runs:
            return most
        return min(most, max(usual, (median(before) * self._policy.factor).quantize(Decimal("0.0001"))))
