"""The gate of credit notes: from what the state store knows to a verdict with every reason. Fails closed.

Belongs here: the inputs, the approved rules, and judging. The rules are ``credit_rules``, keeping is ``credit_decisions``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.connections import read_yaml
from core.ids import canonical_json, sha256_hex
from core.settings import ROOT
from state import outbox_rows
from state.credit_rules import BY_CODE, RULES, CreditRule, Facts, Finding
from state.rulesets import Ruleset
from state.tables import outbox, receipts
from state.tables_of_people import credit_notes

POLICY: Final = ROOT / "state" / "credit_policy.yaml"
JUDGING: Final = ("credit_gate.py", "credit_rules.py")
"""Files of ``state`` that a verdict on a credit note comes about in."""
NOT_RUN: Final = "CHECK_NOT_RUN"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CreditPolicy(_Strict):
    """``state/credit_policy.yaml``: what the rules are called. None of them has a tolerance or a limit."""

    policy_version: str = Field(min_length=1)


@dataclass(frozen=True)
class Verdict:
    """``codes`` in the order of the index, ``reasons`` in words: code, seen, expected, remedy, owner, disposition."""

    verdict: Literal["released", "blocked"]
    codes: tuple[str, ...]
    reasons: list[dict[str, Any]]


def load_policy(path: Path = POLICY) -> CreditPolicy:
    """The policy file; ConfigurationError names file, line, field, what was expected and found."""
    return read_yaml(path, CreditPolicy)


def ruleset(policy: CreditPolicy) -> Ruleset:
    """The rules as this process judges by them; who approves a change of them approves this content."""
    return Ruleset("credit_notes", policy.policy_version, _content())


def ruleset_version(folder: Path = ROOT / "state") -> str:
    """SHA-256 over every line that a verdict comes about in, as it was when this process first judged."""
    return sha256_hex(_content(folder))


@cache
def _content(folder: Path = ROOT / "state") -> bytes:
    # Once in a process: what it judges by is what it loaded, whatever becomes of the files.
    rules = [{"code": each.code, "disposition": each.disposition} for each in RULES]
    judging = {name: sha256_hex((folder / name).read_text(encoding="utf-8").encode()) for name in JUDGING}
    return canonical_json({"rules": rules, "judging": judging})


def inputs_of(db: Connection, key: str, invoice_key: str, payload: bytes) -> bytes:
    """All that the note ``key`` is judged on, as canonical bytes: kept with the decision, they give it again."""
    found = outbox_rows.rows(db, outbox.c.idempotency_key == invoice_key, outbox.c.operation == "invoice")
    invoice = found[0] if found else None
    erp_id = select(receipts.c.erp_id).where(receipts.c.idempotency_key == invoice_key)
    cancelled = select(outbox.c.idempotency_key).where(outbox.c.state == "CANCELLED")
    earlier = select(credit_notes.c.payload).where(
        credit_notes.c.invoice_key == invoice_key,
        credit_notes.c.idempotency_key != key,
        credit_notes.c.answer == "granted",
        credit_notes.c.idempotency_key.not_in(cancelled),
    )
    return canonical_json(
        {
            "note": _text(payload),
            "invoice_key": invoice_key,
            "invoice": _text(invoice.payload) if invoice else None,
            "invoice_state": invoice.state if invoice else None,
            "receipt_erp_id": db.scalar(erp_id),
            "earlier": [_text(each) for each in db.scalars(earlier.order_by(credit_notes.c.credit_note_id))],
        }
    )


def judge(inputs: bytes, approved_version: str, index: Sequence[CreditRule] = RULES) -> Verdict:
    """Every rule on one note. Pure: the same arguments give the same verdict, and nothing is raised for a bad note."""
    found: dict[str, list[Finding]] = {}
    try:
        facts = _facts(inputs, approved_version)
    except (ValueError, KeyError, TypeError) as error:
        return _verdict({NOT_RUN: [_not_run(" ".join(str(error).split()))]})
    for rule in index:
        code, finding = _checked(rule, facts)
        if finding is not None:
            found.setdefault(code, []).append(finding)
    if unasked := BY_CODE.keys() - {rule.code for rule in index}:
        found.setdefault(NOT_RUN, []).append(_not_run(f"nobody asked {', '.join(sorted(unasked))}"))
    return _verdict(found)


def _checked(rule: CreditRule, facts: Facts) -> tuple[str, Finding | None]:
    """The code under which a finding counts, if there is one: a rule that fails itself, or that nobody knows, is one too."""
    if rule.code not in BY_CODE:
        return NOT_RUN, _not_run(f"{rule.code!r} is not a code of the gate")
    try:
        return rule.code, rule.check(facts)
    except Exception as error:  # noqa: BLE001 whatever a check fails of, it was not made, and that is told
        return NOT_RUN, _not_run(f"{rule.code}: {type(error).__name__}: {error}")


def _not_run(why: str) -> Finding:
    return Finding(why, "every check made on a note and an invoice that can be read")


def _verdict(found: dict[str, list[Finding]]) -> Verdict:
    reasons = [
        {
            "code": rule.code,
            "seen": "; ".join(each.seen for each in found[rule.code]),
            "expected": found[rule.code][0].expected,
            "remedy": rule.remedy,
            "owner": rule.owner,
            "disposition": rule.disposition,
        }
        for rule in RULES
        if rule.code in found
    ]
    codes = tuple(each["code"] for each in reasons)
    return Verdict("blocked" if codes else "released", codes, reasons)


def _facts(inputs: bytes, approved_version: str) -> Facts:
    told = json.loads(inputs)
    return Facts(
        note=CreditNoteDocument.model_validate_json(told["note"]),
        invoice_key=told["invoice_key"],
        invoice=None if told["invoice"] is None else InvoiceDocument.model_validate_json(told["invoice"]),
        invoice_state=told["invoice_state"],
        receipt_erp_id=told["receipt_erp_id"],
        earlier=tuple(CreditNoteDocument.model_validate_json(each) for each in told["earlier"]),
        ruleset_version=ruleset_version(),
        approved_version=approved_version,
    )


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "replace")
