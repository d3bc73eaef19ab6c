"""What differs between the documents that were acknowledged and those that a destination lists.

Belongs here: judging, without asking or changing anything. Asking and recording is ``reconcile``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from activation.destinations.base import PostedDelivery, PostedInvoice
from state.attempts import Receipt
from state.differences import Difference, Kind
from state.outbox_rows import OutboxEntry

UNDER_WAY = frozenset({"READY", "SENDING", "RETRY_WAIT", "UNKNOWN"})
"""States whose row is looked up before anything is sent: a document of theirs is found then."""


def acknowledged(receipt: Receipt, found: Sequence[PostedInvoice]) -> Difference | None:
    """How what the destination holds under a receipt's key differs from the receipt; None when it does not."""
    posted = [each for each in found if each.status == "posted"]
    if not posted:
        there = " and ".join(sorted({each.status for each in found})) or "not there"
        return _of_receipt(receipt, "missing", None, f"acknowledged and now {there}")
    # The very document if it is among them; another under the same key otherwise.
    document = min(posted, key=lambda each: each.erp_id != receipt.erp_id)
    wrong = _wrong(receipt, document)
    return _of_receipt(receipt, "different", document, "; ".join(wrong)) if wrong else None


def extra(
    destination: str,
    found: Sequence[PostedInvoice],
    receipts: Mapping[str, Receipt],
    entries: Mapping[str, OutboxEntry],
) -> list[Difference]:
    """Posted documents under a key of ours that nobody acknowledged: drafts and cancelled ones have no effect."""
    told = []
    for each in found:
        receipt, entry = receipts.get(each.idempotency_key), entries.get(each.idempotency_key)
        if each.status != "posted" or (receipt and _is_the_one(receipt, each, found)):
            continue
        if receipt is None and entry is not None and entry.state in UNDER_WAY:
            continue
        why = "a second document under an acknowledged key" if receipt else _unacknowledged(entry)
        told.append(
            Difference(
                destination=destination,
                kind="extra",
                idempotency_key=each.idempotency_key,
                erp_id=each.erp_id,
                shipment_no=entry.shipment_no if entry else None,
                company=each.company_id,
                currency=each.currency,
                issue_date=each.issue_date.isoformat() if each.issue_date else None,
                acknowledged_amount=None,
                found_amount=each.grand_total_amount,
                detail=f"posted there, {why}",
            )
        )
    return told


def _is_the_one(receipt: Receipt, document: PostedInvoice, found: Sequence[PostedInvoice]) -> bool:
    """Whether this is the document that ``acknowledged`` compares with the receipt."""
    posted = [
        each for each in found if each.status == "posted" and each.idempotency_key == receipt.idempotency_key
    ]
    return document is min(posted, key=lambda each: each.erp_id != receipt.erp_id)


def _unacknowledged(entry: OutboxEntry | None) -> str:
    return f"{entry.state} in the outbox" if entry else "under a key that the outbox does not know"


def _wrong(receipt: Receipt, found: PostedInvoice) -> list[str]:
    compared = (
        ("document", receipt.erp_id, found.erp_id),
        ("company", receipt.company, found.company_id),
        ("customer", receipt.customer_id, found.customer_id),
        ("currency", receipt.currency, found.currency),
        ("net total", receipt.net_total_amount, found.net_total_amount),
        ("tax total", receipt.tax_total_amount, found.tax_total_amount),
        ("grand total", receipt.grand_total_amount, found.grand_total_amount),
        ("issue date", receipt.issue_date, found.issue_date),
        (
            "quantity",
            receipt.total_quantity,
            found.total_quantity if isinstance(found, PostedDelivery) else None,
        ),
    )
    return [f"{name}: acknowledged {was}, found {seen}" for name, was, seen in compared if was != seen]


def _of_receipt(receipt: Receipt, kind: Kind, found: PostedInvoice | None, detail: str) -> Difference:
    return Difference(
        destination=receipt.destination,
        kind=kind,
        idempotency_key=receipt.idempotency_key,
        erp_id=receipt.erp_id,
        shipment_no=receipt.shipment_no,
        company=receipt.company,
        currency=receipt.currency,
        issue_date=receipt.issue_date.isoformat() if receipt.issue_date else None,
        acknowledged_amount=receipt.grand_total_amount,
        found_amount=found.grand_total_amount if found else None,
        detail=detail,
    )
