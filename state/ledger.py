"""The append-only ledger: each row's hash covers the row before it, so that no past row can be changed.

A chain alone does not show a tail that was cut off; ``head`` is what to keep elsewhere and compare.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from core.clock import utc_now
from core.ids import canonical_json, sha256_hex
from state.engine import reading
from state.tables import ledger

GENESIS = "0" * 64


@dataclass(frozen=True)
class Verification:
    """``first_bad`` is the sequence of the first row that does not fit, None when all do."""

    rows: int
    head: str
    first_bad: int | None


def append(db: Connection, event: str, actor: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add one row inside the caller's transaction, so that what happened and its record commit together."""
    last = db.execute(
        select(ledger.c.sequence, ledger.c.row_hash).order_by(ledger.c.sequence.desc()).limit(1)
    ).one_or_none()
    sequence, previous = (last.sequence + 1, last.row_hash) if last else (1, GENESIS)
    recorded_at = utc_now()
    db.execute(
        insert(ledger).values(
            sequence=sequence,
            recorded_at=recorded_at,
            event=event,
            actor=actor,
            subject=subject,
            detail=dict(detail),
            previous_hash=previous,
            row_hash=_hash(previous, sequence, recorded_at, event, actor, subject, detail),
        )
    )


def verify(engine: Engine) -> Verification:
    """Walk the chain from the first row."""
    previous, count = GENESIS, 0
    with reading(engine) as db:
        for row in db.execute(select(ledger).order_by(ledger.c.sequence)).yield_per(10_000):
            count += 1
            expected = _hash(previous, count, row.recorded_at, row.event, row.actor, row.subject, row.detail)
            if row.sequence != count or row.previous_hash != previous or row.row_hash != expected:
                return Verification(count, previous, row.sequence)
            previous = row.row_hash
    return Verification(count, previous, None)


def _hash(
    previous: str,
    sequence: int,
    recorded_at: datetime,
    event: str,
    actor: str,
    subject: str,
    detail: Mapping[str, Any],
) -> str:
    row = [sequence, recorded_at.isoformat(), event, actor, subject, canonical_json(dict(detail)).decode()]
    return sha256_hex(previous.encode() + canonical_json(row))
