"""What operators propose to do with an effect that the push has given up, and who confirmed it.

One person proposes, with what the foreign system held at that moment; another one confirms, and only then the row
moves. The database refuses a confirmation by the one who proposed, and any change of one that was given.

Belongs here: keeping proposals and carrying them out. Asking the foreign system, and what its answer allows, is
``activation.operators``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from core.errors import PermanentFailure
from state import ledger, outbox
from state.engine import reading
from state.outbox_rows import OutboxEntry
from state.people import is_same
from state.tables import charge_lines
from state.tables_of_people import outbox_proposals as table
from state.transitions import TAKEN_BACK

NEVER_RELEASED = ""
"""The hash of no inputs: no decision releases them."""
Found = list[dict[str, str]]
"""Documents under the key of an effect, as plain texts: id, status, currency and grand total."""


@dataclass(frozen=True)
class Proposal:
    """One proposal. ``found`` is what the foreign system held when it was made."""

    proposal_id: int
    idempotency_key: str
    shipment_no: str
    from_state: str
    to_state: str
    found: Found
    proposed_by: str
    proposed_because: str
    proposed_at: datetime
    confirmed_by: str | None
    confirmed_because: str | None
    confirmed_at: datetime | None


def propose(
    engine: Engine, entry: OutboxEntry, to_state: str, found: Found, actor: str, reason: str, now: datetime
) -> Proposal:
    """Keep a proposal; a newer one about the same effect takes the place of an older one."""
    proposed = {"proposed_by": actor, "proposed_because": reason, "proposed_at": now}
    about = {"idempotency_key": entry.idempotency_key, "shipment_no": entry.shipment_no}
    moving = {"from_state": entry.state, "to_state": to_state, "found": found}
    with engine.begin() as db:
        db.execute(insert(table).values(**about, **moving, **proposed))
        told = {**moving, "reason": reason}
        ledger.append(db, "proposed", actor, entry.idempotency_key, told)
        newest = _newest(db, entry.idempotency_key)
    assert newest is not None
    return newest


def confirm(
    engine: Engine, entry: OutboxEntry, found: Found, actor: str, reason: str, now: datetime
) -> OutboxEntry:
    """Carry the newest proposal about an effect out; the effect as it is then.

    PermanentFailure, with nothing written, when nothing is proposed, when the effect or what the foreign system
    holds has changed since, or when the one who proposed comes again.
    """
    with engine.begin() as db:
        proposal = _newest(db, entry.idempotency_key)
        if proposal is None or proposal.confirmed_at is not None:
            raise PermanentFailure(
                f"Nothing is proposed for {entry.shipment_no}.",
                remedy="`waybill outbox proposals` lists what is; `waybill outbox propose` adds to it.",
            )
        if (proposal.from_state, proposal.found) != (entry.state, found):
            raise PermanentFailure(
                f"{entry.shipment_no} was {proposal.from_state} with {documents(proposal.found)} when it was proposed, "
                f"and is {entry.state} with {documents(found)} now.",
                remedy="Propose anew with `waybill outbox propose`.",
            )
        if is_same(proposal.proposed_by, actor):
            raise PermanentFailure(
                f"{actor} proposed this for {entry.shipment_no} and cannot confirm it.",
                remedy="Somebody else confirms it under their own name.",
            )
        confirmed = {"confirmed_by": actor, "confirmed_because": reason, "confirmed_at": now}
        db.execute(update(table).where(table.c.proposal_id == proposal.proposal_id).values(**confirmed))
        said = {"from_state": proposal.from_state, "to_state": proposal.to_state, "reason": reason}
        ledger.append(
            db, "confirmed", actor, entry.idempotency_key, said | {"proposed_by": proposal.proposed_by}
        )
        told: dict[str, Any] = {
            "last_error": f"{proposal.proposed_by} and {actor}: {reason}",
            "may_exist": bool(found) or proposal.to_state == "UNKNOWN",
            **dict.fromkeys(("not_before", "leased_by", "leased_until")),
        }
        if any(each["status"] == "draft" for each in found):
            told["seen_as"] = "draft"
        if (proposal.from_state, proposal.to_state) == TAKEN_BACK:
            # Whoever is released next bills the lines: this row only by a decision that comes after.
            db.execute(delete(charge_lines).where(charge_lines.c.idempotency_key == entry.idempotency_key))
            # Nothing was found, after everything that was sent had settled.
            told |= {"input_hash": NEVER_RELEASED, "seen_as": None}
        return outbox.move(db, entry, proposal.to_state, now, told, actor=actor)


def waiting(engine: Engine) -> list[Proposal]:
    """Proposals that nobody has confirmed, about effects that still are as they were, oldest first."""
    query = select(table).where(table.c.confirmed_at.is_(None)).order_by(table.c.proposal_id)
    with reading(engine) as db:
        newest = {each.idempotency_key: each for each in map(_proposal, db.execute(query))}
    standing = outbox.states_of(engine, list(newest))
    return [each for each in newest.values() if standing.get(each.idempotency_key) == each.from_state]


def _newest(db: Connection, key: str) -> Proposal | None:
    query = select(table).where(table.c.idempotency_key == key).order_by(table.c.proposal_id.desc()).limit(1)
    row = db.execute(query).one_or_none()
    return _proposal(row) if row else None


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(**{each.name: getattr(row, each.name) for each in fields(Proposal)})


def documents(found: Found) -> str:
    """What was found, in words."""
    return ", ".join(f"{each['erp_id']} ({each['status']})" for each in found) or "nothing in the ERP"
