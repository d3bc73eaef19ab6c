"""What people decide about dead letters: to replay or to discard them. Who, why, before and after stand in the ledger.

Belongs here: the moves that a person brings about, each conditional on what the letter was. Sending a letter's row
through the border again is ``ingestion.replaying``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from state import ledger
from state.dead_letters import DeadLetter
from state.ingest_counts import IngestCount
from state.letter_fixes import refuse_unless_open
from state.letter_states import DECIDED
from state.tables import dead_letters as table
from state.tables import ingest_counts

_EVENTS = {
    "replaying": "replay_begun",
    "open": "replay_given_up",
    "replayed": "replayed",
    "resolved": "resolved",
    "discarded": "discarded",
}


@dataclass(frozen=True)
class Word:
    """What a person said: who, why, when."""

    actor: str
    reason: str
    at: datetime


def discard(engine: Engine, letters: Sequence[DeadLetter], word: Word) -> int:
    """Say that their rows are not needed; all of them or, with PermanentFailure, none. The number discarded."""
    with engine.begin() as db:
        for each in letters:
            refuse_unless_open(each.dead_letter_id, each.status)
            if not _move(db, each.dead_letter_id, each.status, "discarded", word):
                refuse_unless_open(each.dead_letter_id, _status(db, each.dead_letter_id))
    return len(letters)


def begin_replay(engine: Engine, letters: Sequence[DeadLetter], word: Word) -> None:
    """The intent, on disk before anything is landed; PermanentFailure when one of them was decided meanwhile."""
    with engine.begin() as db:
        for each in letters:
            if not _move(db, each.dead_letter_id, each.status, "replaying", word):
                refuse_unless_open(each.dead_letter_id, _status(db, each.dead_letter_id))


def give_up_replay(engine: Engine, letter: DeadLetter, word: Word) -> None:
    """A replay that died before it landed anything: the letter is open again."""
    with engine.begin() as db:
        _move(db, letter.dead_letter_id, "replaying", "open", word)


def finish_replay(
    engine: Engine,
    run_id: str,
    replayed: Sequence[DeadLetter],
    known: Sequence[DeadLetter],
    word: Word,
) -> None:
    """Rows that were loaded, and rows that had been loaded before: marked and counted in one transaction.

    All letters are of one resource. Other letters about the very bytes that were replayed are resolved by that.
    """
    with engine.begin() as db:
        loaded = sum(_move(db, each.dead_letter_id, "replaying", "replayed", word) for each in replayed)
        doubled = sum(_move(db, each.dead_letter_id, each.status, "resolved", word) for each in known)
        for each in replayed:
            _resolve_twins(db, each, word)
        if loaded + doubled:
            _count(db, run_id, [*replayed, *known][0], loaded, doubled, word.at)


def _resolve_twins(db: Connection, letter: DeadLetter, word: Word) -> None:
    twins = db.execute(
        select(table.c.dead_letter_id, table.c.status).where(
            table.c.connection == letter.connection,
            table.c.resource == letter.resource,
            table.c.raw_sha256 == letter.raw_sha256,
            table.c.status.in_(("open", "parked")),
        )
    ).all()
    for twin in twins:
        _move(db, twin.dead_letter_id, twin.status, "resolved", word, {"with": letter.dead_letter_id})


def _count(db: Connection, run_id: str, letter: DeadLetter, loaded: int, doubled: int, now: datetime) -> None:
    """The replay is a run of its own: what came in is what it loaded and what was there."""
    count = IngestCount(
        letter.connection, f"raw_{letter.kind}", letter.resource, loaded + doubled, loaded, 0, doubled, 0
    )
    db.execute(insert(ingest_counts).values(run_id=run_id, counted_at=now, **vars(count)))


def _move(
    db: Connection,
    dead_letter_id: str,
    before: str,
    after: str,
    word: Word,
    more: dict[str, Any] | None = None,
) -> bool:
    """Whether the letter was as it was thought to be, and has moved."""
    by: dict[str, Any] = {"decided_by": word.actor, "decided_because": word.reason, "decided_at": word.at}
    values = by if after in DECIDED else dict.fromkeys(by)
    moved = db.execute(
        update(table)
        .where(table.c.dead_letter_id == dead_letter_id, table.c.status == before)
        .values(status=after, **values)
    ).rowcount
    if moved:
        told = {"before": before, "after": after, "reason": word.reason, **(more or {})}
        ledger.append(db, _EVENTS[after], word.actor, dead_letter_id, told)
    return bool(moved)


def _status(db: Connection, dead_letter_id: str) -> str:
    return str(db.scalar(select(table.c.status).where(table.c.dead_letter_id == dead_letter_id)))
