"""What the gate of credit notes decided: one row for each evaluation that says something new, never changed.

Belongs here: deciding inside a transaction, keeping, and evaluating a kept decision again. Judging is ``credit_gate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from sqlalchemy import Connection, Engine, Row, insert, select

from core.ids import sha256_hex
from state import credit_gate, rulesets
from state.credit_gate import Verdict
from state.credit_rules import BY_CODE
from state.engine import reading
from state.tables_of_people import credit_decisions as table

Step = Literal["draft", "approval", "sending"]
_NOBODY: Final = ""


class Judged(Protocol):
    """A note that is judged: a draft, or what was approved."""

    @property
    def idempotency_key(self) -> str: ...
    @property
    def invoice_key(self) -> str: ...
    @property
    def shipment_no(self) -> str: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def payload_hash(self) -> str: ...


@dataclass(frozen=True)
class CreditDecision:
    """The verdict on one note with every reason, and the bytes it was judged on. ``step``: what was about to be done."""

    idempotency_key: str
    invoice_key: str
    shipment_no: str
    payload_hash: str
    step: Step
    verdict: Literal["released", "blocked"]
    codes: tuple[str, ...]
    reasons: list[dict[str, Any]]
    inputs: bytes
    input_hash: str
    ruleset_version: str
    policy_version: str
    rules_approved_by: str | None
    decided_at: datetime

    @property
    def substance(self) -> tuple[object, ...]:
        """What makes an evaluation worth a new row."""
        return self.payload_hash, self.step, self.input_hash, self.ruleset_version, self.verdict, self.codes


def decide(db: Connection, note: Judged, step: Step, now: datetime) -> CreditDecision:
    """Judge a note by all that the store knows inside this transaction. Nothing is written."""
    own = credit_gate.ruleset(credit_gate.load_policy())
    approved = rulesets.approved(db, own)
    inputs = credit_gate.inputs_of(db, note.idempotency_key, note.invoice_key, note.payload)
    said = credit_gate.judge(inputs, approved.version)
    return CreditDecision(
        idempotency_key=note.idempotency_key,
        invoice_key=note.invoice_key,
        shipment_no=note.shipment_no,
        payload_hash=note.payload_hash,
        step=step,
        verdict=said.verdict,
        codes=said.codes,
        reasons=said.reasons,
        inputs=inputs,
        input_hash=sha256_hex(inputs),
        ruleset_version=own.version,
        policy_version=own.policy_version,
        rules_approved_by=approved.told if approved.version == own.version else None,
        decided_at=now,
    )


def keep(db: Connection, decision: CreditDecision) -> None:
    """Keep a decision that says something new about its note; with the first one a store takes the release's rules."""
    rulesets.take_shipped(db, credit_gate.ruleset(credit_gate.load_policy()))
    query = select(table).where(table.c.idempotency_key == decision.idempotency_key)
    standing = db.execute(query.order_by(table.c.sequence.desc()).limit(1)).one_or_none()
    if standing is None or _decision(standing).substance != decision.substance:
        db.execute(insert(table).values(**vars(decision)))


def standing(engine: Engine) -> dict[str, CreditDecision]:
    """The newest decision about each note, by its idempotency key."""
    with reading(engine) as db:
        found = map(_decision, db.execute(select(table).order_by(table.c.sequence)))
        return {each.idempotency_key: each for each in found}


def evaluated_again(decision: CreditDecision) -> Verdict:
    """The verdict on the kept inputs by the rules of today: equal as long as the rules are the same."""
    approved = decision.ruleset_version if decision.rules_approved_by else _NOBODY
    return credit_gate.judge(decision.inputs, approved)


def told(reasons: list[dict[str, Any]]) -> str:
    """Every reason in one text: code, what was seen, what was expected, what to do."""
    return " ".join(map(_reason, reasons))


def _reason(reason: Mapping[str, Any]) -> str:
    known = BY_CODE.get(reason["code"])
    why = f" {known.explanation}" if known else ""
    return f"{reason['code']}:{why} Seen: {reason['seen']}. Expected: {reason['expected']}. To do: {reason['remedy']}"


def _decision(row: Row[Any]) -> CreditDecision:
    told = {each.name: getattr(row, each.name) for each in fields(CreditDecision)}
    return CreditDecision(**(told | {"codes": tuple(told["codes"])}))
