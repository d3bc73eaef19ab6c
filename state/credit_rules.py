"""The rules of credit notes: every code once, with its disposition, its owner, its words and its check.

Pure: a check looks at facts and at nothing else. They lie here and not in ``quality`` because they are asked in the very
transaction in which a note is drafted, approved and sent (ADR 31). Where the facts come from is ``state.credit_gate``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from contracts.invoice import CreditNoteDocument, InvoiceDocument

CONTROLLING: Final = "finance-controlling"
PLATFORM: Final = "data-platform"
POSTED: Final = ("ACKED", "RECONCILED")
"""States of an invoice that the ERP holds as it was sent."""
_TOTALS = ("net_total_amount", "tax_total_amount", "grand_total_amount")
_SAME = ("company_id", "customer_id", "business_id", "shipment_no")


class Finding(NamedTuple):
    """What was seen, and what was expected."""

    seen: str
    expected: str


@dataclass(frozen=True)
class Facts:
    """What a credit note is judged on.

    ``invoice`` are the bytes that were sent, ``receipt_erp_id`` is what the ERP called them when they were read back,
    ``earlier`` are the other notes over the same invoice that were approved and not cancelled.
    """

    note: CreditNoteDocument
    invoice_key: str
    invoice: InvoiceDocument | None
    invoice_state: str | None
    receipt_erp_id: str | None
    earlier: tuple[CreditNoteDocument, ...]
    ruleset_version: str
    approved_version: str


@dataclass(frozen=True)
class CreditRule:
    """One line of the index. ``check`` answers None where nothing is wrong, or not to be told without an invoice."""

    code: str
    disposition: Literal["BLOCK"]
    owner: str
    explanation: str
    remedy: str
    check: Callable[[Facts], Finding | None]


def _preceding(facts: Facts) -> Finding | None:
    note, invoice = facts.note, facts.invoice
    expected = f"a posted invoice {note.credited_erp_id} of Waybill's, of the same customer and shipment"
    if invoice is None:
        return Finding(f"no invoice under the key {note.credited_key[:12]}", expected)
    wrong = [] if facts.invoice_state in POSTED else [f"the invoice is {facts.invoice_state}"]
    if facts.receipt_erp_id is None:
        wrong.append("the invoice was never read back from the ERP")
    elif facts.receipt_erp_id != note.credited_erp_id:
        wrong.append(f"the ERP calls the invoice {facts.receipt_erp_id}")
    if note.credited_key != facts.invoice_key:
        wrong.append(f"the note names the key {note.credited_key[:12]}")
    wrong += [
        f"{name} {getattr(note, name)} and not {getattr(invoice, name)}"
        for name in _SAME
        if getattr(note, name) != getattr(invoice, name)
    ]
    return Finding("; ".join(wrong), expected) if wrong else None


def _exceeds(facts: Facts) -> Finding | None:
    if facts.invoice is None:
        return None
    wrong = [*_lines_that_exceed(facts, facts.invoice), *_totals_that_exceed(facts, facts.invoice)]
    expected = (
        "no more than what is left of the invoice, and all of it by the note that credits the last line"
    )
    return Finding("; ".join(wrong), expected) if wrong else None


def _lines_that_exceed(facts: Facts, invoice: InvoiceDocument) -> list[str]:
    billed = {line.line_id: line for line in invoice.lines}
    credited = _by_line(facts.earlier)
    many = Counter(line.line_id for line in facts.note.lines)
    wrong = [f"line {name} is credited {times} times" for name, times in many.items() if times > 1]
    for line in facts.note.lines:
        if line.line_id not in billed:
            wrong.append(f"line {line.line_id} is not on the invoice")
            continue
        of_it = billed[line.line_id]
        quantity, amount = credited.get(line.line_id, (Decimal(0), Decimal(0)))
        left = of_it.quantity - quantity
        if not _is_part(-line.quantity, left):
            wrong.append(f"line {line.line_id}: {_plain(-line.quantity)} of {_plain(left)} {of_it.uom} left")
        if not _is_part(-line.net_amount, of_it.net_amount - amount):
            wrong.append(
                f"line {line.line_id}: {-line.net_amount} of {of_it.net_amount - amount} {invoice.currency} left"
            )
    return wrong


def _totals_that_exceed(facts: Facts, invoice: InvoiceDocument) -> list[str]:
    wrong = []
    is_last = _is_last(facts, invoice)
    for name in _TOTALS:
        left = getattr(invoice, name) + sum((getattr(each, name) for each in facts.earlier), Decimal(0))
        credit = -getattr(facts.note, name)
        told = f"{name.removesuffix('_amount').replace('_', ' ')} {credit} of {left} {invoice.currency} left"
        if is_last and credit != left:
            wrong.append(f"{told}, by the last note")
        elif not _is_part(credit, left):
            wrong.append(told)
    return wrong


def _is_last(facts: Facts, invoice: InvoiceDocument) -> bool:
    """Whether nothing is left of any line once this note is posted: it takes what rounding left over."""
    credited = _by_line((*facts.earlier, facts.note))
    return all(
        credited.get(line.line_id, (Decimal(0), Decimal(0)))[0] == line.quantity for line in invoice.lines
    )


def _by_line(notes: Iterable[CreditNoteDocument]) -> dict[str, tuple[Decimal, Decimal]]:
    """Line → quantity and net amount that the notes credit together, with the sign of the invoice."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for note in notes:
        for line in note.lines:
            quantity, amount = found.get(line.line_id, (Decimal(0), Decimal(0)))
            found[line.line_id] = quantity - line.quantity, amount - line.net_amount
    return found


def _is_part(credit: Decimal, left: Decimal) -> bool:
    """Whether it lies between nothing and all that is left; a discount's line is negative, and so is what is left of it."""
    return min(left, Decimal(0)) <= credit <= max(left, Decimal(0))


def _reason(facts: Facts) -> Finding | None:
    said = facts.note.reason.strip()
    if any(char.isalnum() for char in said):
        return None
    return Finding(f"{said!r}", "a reason in words, which the customer reads")


def _tax_or_currency(facts: Facts) -> Finding | None:
    if facts.invoice is None:
        return None
    invoice, note = facts.invoice, facts.note
    wrong = [] if note.currency == invoice.currency else [f"{note.currency} against {invoice.currency}"]
    billed = {line.line_id: line for line in invoice.lines}
    for line in note.lines:
        of_it = billed.get(line.line_id)
        if of_it is not None and (line.tax_code, line.tax_rate_percent) != (
            of_it.tax_code,
            of_it.tax_rate_percent,
        ):
            wrong.append(
                f"line {line.line_id}: {line.tax_code} {line.tax_rate_percent} % against "
                f"{of_it.tax_code} {of_it.tax_rate_percent} %"
            )
    expected = f"the invoice's {invoice.currency}, tax codes and rates"
    return Finding("; ".join(wrong), expected) if wrong else None


def _ruleset(facts: Facts) -> Finding | None:
    if facts.ruleset_version == facts.approved_version:
        return None
    return Finding(f"ruleset {facts.ruleset_version}", f"{facts.approved_version}, as approved")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _never(_: Facts) -> Finding | None:
    """Told by the gate itself, of a check that could not be made."""
    return None


RULES: Final[tuple[CreditRule, ...]] = (
    CreditRule(
        "PRECEDING_INVOICE_MISSING", "BLOCK", CONTROLLING,
        "A credit note reverses one posted invoice of the same customer and shipment; this one's is not there as it says.",
        "`waybill outbox list` and `waybill reconcile` show how the invoice stands: settle that, then draft the note anew.",
        _preceding,
    ),
    CreditRule(
        "CREDIT_EXCEEDS_INVOICE", "BLOCK", CONTROLLING,
        "More would be credited than is left of the invoice, or the last note would leave a cent of it.",
        "Reject the draft and draft it anew over what is left of the invoice.",
        _exceeds,
    ),
    CreditRule(
        "REASON_MISSING", "BLOCK", CONTROLLING,
        "A credit note says why: the customer, the tax office and the auditor ask.",
        "Draft it anew with --reason.",
        _reason,
    ),
    CreditRule(
        "TAX_OR_CURRENCY_DIFFERS", "BLOCK", CONTROLLING,
        "A correction bears the currency, the tax codes and the rates of the invoice that it corrects.",
        "Draft it anew from the posted invoice; a new rate belongs on the new invoice.",
        _tax_or_currency,
    ),
    CreditRule(
        "RULESET_UNAPPROVED", "BLOCK", CONTROLLING,
        "The rules of credit notes differ from those that were approved.",
        "`waybill gate rules` shows the change: one person runs `waybill gate propose-rules`, another one `waybill gate approve-rules`.",
        _ruleset,
    ),
    CreditRule(
        "CHECK_NOT_RUN", "BLOCK", PLATFORM,
        "A check could not be made, and what was not checked is not released.",
        "See what is missing or unfit, mend it and draft the note anew.",
        _never,
    ),
)  # fmt: skip
BY_CODE: Final = {rule.code: rule for rule in RULES}
