"""Forgetting what need not be kept: the bytes of messages that are settled and that nobody may send again as the same.

What stays is that the message came, from whom, its hash, and what became of it. Belongs here: what goes, and the ledger's
word of it. The database itself lets nothing else go (migration 0016).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select, update

from core.errors import ConfigurationError
from state import ledger
from state.inbox import MEMORY
from state.tables_of_messages import inbox

_PART = 5_000
"""Messages of one transaction: those who send meanwhile come in between."""
_MARGIN = timedelta(seconds=1)
"""SQLite counts the days between two instants with an error of less than a millisecond."""


@dataclass(frozen=True)
class Pruned:
    """How many messages lost their bytes, how many bytes, and before when they were received."""

    messages: int
    size_bytes: int
    received_before: datetime


def prune(engine: Engine, keep: timedelta, actor: str, now: datetime) -> Pruned:
    """Forget the bytes of settled messages that were received longer ago than ``keep``, oldest first.

    ConfigurationError when ``keep`` is shorter than an id is remembered. Stopped in between it goes on the next time.
    """
    if keep < MEMORY:
        raise ConfigurationError(
            f"Messages cannot be forgotten after {keep.days} days.",
            remedy=f"Set WAYBILL_INBOX_DAYS to {MEMORY.days} or more.",
        )
    before = now - keep - _MARGIN
    due = (inbox.c.settled_at.is_not(None), inbox.c.pruned_at.is_(None), inbox.c.received_at <= before)
    query = (
        select(inbox.c.message_no, func.length(inbox.c.body)).where(*due).order_by(inbox.c.received_at)
    ).limit(_PART)
    messages = size_bytes = 0
    while True:
        with engine.begin() as db:
            found = db.execute(query).all()
            if not found:
                return Pruned(messages, size_bytes, before)
            size = sum(row[1] for row in found)
            numbers = [row[0] for row in found]
            db.execute(update(inbox).where(inbox.c.message_no.in_(numbers)).values(body=b"", pruned_at=now))
            told = {"messages": len(found), "size_bytes": size, "received_before": before.isoformat()}
            ledger.append(db, "inbox_pruned", actor, "inbox", told)
        messages, size_bytes = messages + len(found), size_bytes + size
