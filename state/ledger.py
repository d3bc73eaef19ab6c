"""The append-only ledger: each row's hash covers the row before it, so that no past row can be changed.

A chain alone does not show a tail that was cut off, nor that all of it was written anew: ``heads`` signs what the
chain ended with and keeps it elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from core.clock import utc_now
from core.ids import canonical_json, quoted, sha256_hex
from state.engine import reading
from state.prepared import Prepared, change_all
from state.tables import ledger
from state.types import json_text

GENESIS = "0" * 64
_MOST_SEQUENCES = 500
"""Rows asked for in one statement."""
_NEWEST = Prepared(select(ledger.c.sequence, ledger.c.row_hash).order_by(ledger.c.sequence.desc()).limit(1))
_INSERT = {
    dialect: f"INSERT INTO {ledger.name} ({', '.join(ledger.columns.keys())}) "
    f"VALUES ({', '.join([mark] * len(ledger.columns))})"
    for dialect, mark in (("sqlite", "?"), ("postgresql", "%s"))
}
"""As the drivers take it: to have the values of each row converted takes five times as long as to insert them, and what
many rows share is converted once."""


@dataclass(frozen=True)
class Verification:
    """``first_bad`` is the sequence of the first row that was edited or is missing, None when all rows fit;
    ``rows`` counts those before it, ``head`` is the hash of the last of them."""

    rows: int
    head: str
    first_bad: int | None
    problem: str | None


class Event(NamedTuple):
    """What a row says: what happened, by whom, to what."""

    event: str
    actor: str
    subject: str
    detail: Mapping[str, Any]


def append(db: Connection, event: str, actor: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add one row inside the caller's transaction, so that what happened and its record commit together."""
    append_all(db, [Event(event, actor, subject, detail)])


def append_all(db: Connection, events: Iterable[Event]) -> None:
    """The same for many: chained in memory, written as one statement. Events that share a detail share its text."""
    last, previous = newest(db)
    recorded_at = utc_now()
    told, stored_at = quoted(recorded_at.isoformat()), recorded_at.isoformat(timespec="microseconds")
    detail: Mapping[str, Any] | None = None
    canonical = stored = ""
    rows = []
    for sequence, each in enumerate(events, start=last + 1):
        if each.detail is not detail:
            detail = each.detail
            canonical, stored = _canonical(detail), json_text(detail)
        row_hash = _chained(
            previous, sequence, told, quoted(each.event), quoted(each.actor), quoted(each.subject), canonical
        )
        # In the order of the table's columns.
        rows.append((sequence, stored_at, each.event, each.actor, each.subject, stored, previous, row_hash))
        previous = row_hash
    if rows:
        change_all(db, _INSERT[db.dialect.name], rows)


def verify(engine: Engine) -> Verification:
    """Walk the chain from the first row to the first that does not fit."""
    previous, count = GENESIS, 0
    with reading(engine) as db:
        for row in db.execute(select(ledger).order_by(ledger.c.sequence)).yield_per(10_000):
            due = count + 1
            if row.sequence != due:
                return Verification(count, previous, due, f"row {due} is missing")
            expected = hash_of(previous, due, row.recorded_at, row.event, row.actor, row.subject, row.detail)
            if row.previous_hash != previous or row.row_hash != expected:
                return Verification(count, previous, due, f"row {due} was edited")
            count, previous = due, row.row_hash
    return Verification(count, previous, None, None)


def newest(db: Connection) -> tuple[int, str]:
    """Sequence and hash of the last row; ``(0, GENESIS)`` when there is none."""
    return next(((sequence, row_hash) for sequence, row_hash in _NEWEST.rows(db, {})), (0, GENESIS))


def hashes_of(engine: Engine, sequences: Collection[int]) -> dict[int, str]:
    """Sequence → hash of those rows that are there."""
    wanted = sorted(sequences)
    found: dict[int, str] = {}
    with reading(engine) as db:
        for start in range(0, len(wanted), _MOST_SEQUENCES):
            some = wanted[start : start + _MOST_SEQUENCES]
            read = db.execute(select(ledger.c.sequence, ledger.c.row_hash).where(ledger.c.sequence.in_(some)))
            found.update({row.sequence: row.row_hash for row in read})
    return found


def count_since(db: Connection, sequence: int, event: str) -> int:
    """How many rows of one event follow the row ``sequence``."""
    query = select(func.count()).where(ledger.c.sequence > sequence, ledger.c.event == event)
    return db.scalar(query) or 0


def subjects_of(db: Connection, event: str) -> list[str]:
    """What an event was recorded of, in the order of the rows."""
    return list(
        db.scalars(select(ledger.c.subject).where(ledger.c.event == event).order_by(ledger.c.sequence))
    )


def hash_of(
    previous: str,
    sequence: int,
    recorded_at: datetime,
    event: str,
    actor: str,
    subject: str,
    detail: Mapping[str, Any],
) -> str:
    """The hash of a row that follows the one whose hash is ``previous``."""
    told = (recorded_at.isoformat(), event, actor, subject)
    return _chained(previous, sequence, *map(quoted, told), _canonical(detail))


def _chained(previous: str, sequence: int, *parts: str) -> str:
    """What is hashed after the previous hash is the canonical JSON of a list: the number, and the texts as they are quoted."""
    return sha256_hex(f"{previous}[{sequence},{','.join(parts)}]".encode("utf-8", "surrogatepass"))


def _canonical(detail: Mapping[str, Any]) -> str:
    return quoted(canonical_json(dict(detail)).decode())
