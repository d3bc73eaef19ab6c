"""Approvals: what a second person let pass, bound to the very inputs that were looked at.

One person asks, another one answers; the database refuses an answer by the one who asked, and any change of an
answer that was given. An approval holds for the inputs and the rule set of the decision that it was asked on, and for
nothing that came after.

Belongs here: asking, answering and finding approvals. What they mean for a verdict is the gate's business.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, insert, select, update

from core.errors import PermanentFailure
from state import ledger
from state.decisions import Decision, Key, latest_of
from state.engine import reading
from state.people import is_same
from state.tables_of_people import approvals as table

Answer = Literal["granted", "rejected"]
_EVENT = {"granted": "approved", "rejected": "rejected"}


@dataclass(frozen=True)
class Approval:
    """One request and its answer. ``codes`` are the rules that were asked for; hashes are those of the decision."""

    approval_id: int
    business_id: str
    revision: int
    shipment_no: str
    decision_id: str
    codes: tuple[str, ...]
    input_hash: str
    content_hash: str
    ruleset_version: str
    amount: Decimal | None
    currency: str | None
    asked_by: str
    asked_because: str
    asked_at: datetime
    answer: Answer | None
    answered_by: str | None
    answered_because: str | None
    answered_at: datetime | None

    @property
    def key(self) -> Key:
        """What it is about."""
        return self.business_id, self.revision

    def holds_for(self, input_hash: str, ruleset_version: str) -> bool:
        """Whether it was given on these inputs, judged by these rules."""
        return (self.input_hash, self.ruleset_version) == (input_hash, ruleset_version)


def ask(engine: Engine, key: Key, actor: str, reason: str, now: datetime) -> Approval:
    """Ask a second person to let the standing decision's approval rules pass.

    PermanentFailure, with nothing written, when nobody can approve it: it is released, something else blocks it as
    well, or it was asked for already.
    """
    with engine.begin() as db:
        decision = _approvable(latest_of(db, key), key)
        if _is_granted(db, decision):
            raise PermanentFailure(
                f"{decision.shipment_no} was approved already, as it is.",
                remedy="Nothing is to be done: the next run releases it.",
            )
        if _open(db, key, decision.input_hash) is not None:
            raise PermanentFailure(
                f"{decision.shipment_no} waits for an answer already.",
                remedy="A second person answers it: `waybill gate approve` or `waybill gate reject`.",
            )
        asked = {"asked_by": actor, "asked_because": reason, "asked_at": now, "codes": list(decision.codes)}
        same = {name: getattr(decision, name) for name in _OF_DECISION}
        db.execute(insert(table).values(**same, **asked))
        told = _told(decision.codes, "blocked", "pending approval", reason, decision.input_hash)
        ledger.append(db, "approval_asked", actor, decision.shipment_no, told)
        found = _open(db, key, decision.input_hash)
    assert found is not None
    return found


def answer(engine: Engine, key: Key, given: Answer, actor: str, reason: str, now: datetime) -> Approval:
    """Grant or reject what was asked for; the gate's next evaluation goes by it.

    PermanentFailure, with nothing written, when nothing waits, when it changed since it was asked for, or when the
    one who asked comes again.
    """
    with engine.begin() as db:
        decision = latest_of(db, key)
        asked = _open(db, key)
        if decision is None or asked is None:
            raise PermanentFailure(
                f"Nothing about {key[0]} waits for an answer.",
                remedy="`waybill gate approvals` lists what does.",
            )
        if not asked.holds_for(decision.input_hash, decision.ruleset_version):
            raise PermanentFailure(
                f"{asked.shipment_no} has changed since it was asked for; what was looked at is no longer billed.",
                remedy="Look at it again with `waybill gate explain`, and ask anew with `waybill gate ask`.",
            )
        if is_same(asked.asked_by, actor):
            raise PermanentFailure(
                f"{actor} asked for the approval of {asked.shipment_no} and cannot answer it.",
                remedy="Somebody else answers it under their own name.",
            )
        answered = {"answer": given, "answered_by": actor, "answered_because": reason, "answered_at": now}
        db.execute(update(table).where(table.c.approval_id == asked.approval_id).values(**answered))
        told = _told(asked.codes, "pending approval", given, reason, asked.input_hash) | {
            "asked_by": asked.asked_by
        }
        ledger.append(db, _EVENT[given], actor, asked.shipment_no, told)
        return _approvals(db, table.c.approval_id == asked.approval_id)[0]


def waiting(engine: Engine) -> list[Approval]:
    """What waits for an answer on what still stands as it was asked for, oldest first."""
    with reading(engine) as db:
        found = _approvals(db, table.c.answer.is_(None))
        standing = {each.key: latest_of(db, each.key) for each in found}
    return [
        each
        for each in found
        if (decision := standing[each.key]) and each.holds_for(decision.input_hash, decision.ruleset_version)
    ]


def granted(engine: Engine) -> dict[Key, Approval]:
    """What was granted and not rejected after that, by candidate; what it holds for is to be asked of it."""
    with reading(engine) as db:
        newest = {each.key: each for each in _approvals(db, table.c.answer.is_not(None))}
    return {key: each for key, each in newest.items() if each.answer == "granted"}


_OF_DECISION = (
    *(
        "business_id",
        "revision",
        "shipment_no",
        "decision_id",
        "input_hash",
        "content_hash",
        "ruleset_version",
    ),
    *("amount", "currency"),
)


def _approvable(decision: Decision | None, key: Key) -> Decision:
    if decision is None or decision.verdict == "released":
        why = "is released" if decision else "was never judged"
        raise PermanentFailure(
            f"{key[0]} {why}: there is nothing to approve.", remedy="Nothing is to be done."
        )
    graver = [each["code"] for each in decision.reasons if each["disposition"] == "BLOCK"]
    if graver:
        raise PermanentFailure(
            f"{decision.shipment_no} is blocked by {', '.join(graver)}, which nobody can approve.",
            remedy="`waybill gate explain` says what to do about each; ask for an approval after that.",
        )
    return decision


def _is_granted(db: Connection, decision: Decision) -> bool:
    answered = _approvals(
        db,
        table.c.business_id == decision.business_id,
        table.c.revision == decision.revision,
        table.c.answer.is_not(None),
    )
    newest = answered[-1] if answered else None
    return (
        newest is not None
        and newest.answer == "granted"
        and newest.holds_for(decision.input_hash, decision.ruleset_version)
        and set(decision.codes) <= set(newest.codes)
    )


def _open(db: Connection, key: Key, input_hash: str | None = None) -> Approval | None:
    """The newest request that nobody has answered."""
    where = [table.c.business_id == key[0], table.c.revision == key[1], table.c.answer.is_(None)]
    if input_hash is not None:
        where.append(table.c.input_hash == input_hash)
    found = _approvals(db, *where)
    return found[-1] if found else None


def _approvals(db: Connection, *where: Any) -> list[Approval]:
    return [_approval(row) for row in db.execute(select(table).where(*where).order_by(table.c.approval_id))]


def _approval(row: Row[Any]) -> Approval:
    read = {each.name: getattr(row, each.name) for each in fields(Approval)}
    return Approval(**(read | {"codes": tuple(read["codes"])}))


def _told(codes: tuple[str, ...], before: str, after: str, reason: str, input_hash: str) -> dict[str, Any]:
    return {"codes": list(codes), "before": before, "after": after, "reason": reason, "input": input_hash}
