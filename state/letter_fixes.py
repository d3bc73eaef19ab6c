"""Fixes of dead letters: another version of the row's fields beside what came, with who wrote it and why.

What came is never altered, and no fix either: a better one is a further version. Whether a fix keeps its contract is
``ingestion.mending``'s word.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, insert, select

from core.errors import PermanentFailure
from state import ledger
from state.dead_letters import DeadLetter
from state.engine import reading
from state.tables import dead_letter_fixes as table
from state.tables import dead_letters


@dataclass(frozen=True)
class Fix:
    """One version of a letter's contract fields. ``source_version`` is the row's own change time, to which it is loaded."""

    dead_letter_id: str
    fix_no: int
    fields: dict[str, Any]
    source_version: datetime
    fixed_by: str
    fixed_because: str
    fixed_at: datetime


def add(
    engine: Engine,
    letter: DeadLetter,
    fields: dict[str, Any],
    version: datetime,
    actor: str,
    reason: str,
    now: datetime,
) -> Fix:
    """Keep one more version; PermanentFailure, with nothing written, when the letter is replayed or done meanwhile."""
    about = {"dead_letter_id": letter.dead_letter_id}
    with engine.begin() as db:
        status = db.scalar(
            select(dead_letters.c.status).where(dead_letters.c.dead_letter_id == letter.dead_letter_id)
        )
        refuse_unless_open(letter.dead_letter_id, str(status))
        known = db.execute(
            select(table).where(table.c.dead_letter_id == letter.dead_letter_id).order_by(table.c.fix_no)
        ).all()
        before = known[-1].fields if known else letter.fields
        written = {"fix_no": len(known) + 1, "fields": fields, "source_version": version}
        said = {"fixed_by": actor, "fixed_because": reason, "fixed_at": now}
        db.execute(insert(table).values(**about, **written, **said))
        told = {"fix_no": len(known) + 1, "before": before, "after": fields, "reason": reason}
        ledger.append(db, "edited", actor, letter.dead_letter_id, told)
    return of_letter(engine, letter.dead_letter_id)[-1]


def of_letter(engine: Engine, dead_letter_id: str) -> list[Fix]:
    """Its fixes, the newest last."""
    query = select(table).where(table.c.dead_letter_id == dead_letter_id).order_by(table.c.fix_no)
    with reading(engine) as db:
        return [
            Fix(**{each.name: getattr(row, each.name) for each in fields_of(Fix)})
            for row in db.execute(query)
        ]


def refuse_unless_open(dead_letter_id: str, status: str) -> None:
    """PermanentFailure for a letter on which nothing is to be decided any more."""
    if status == "replaying":
        raise PermanentFailure(
            f"The dead letter {dead_letter_id[:12]} is being replayed.",
            remedy="`waybill dead-letter replay` finishes it, also when the process that began has died.",
        )
    if status not in ("open", "parked"):
        raise PermanentFailure(
            f"The dead letter {dead_letter_id[:12]} is {status}: that stands.",
            remedy="A row that comes again is judged again; `waybill dead-letter list` shows what is open.",
        )
