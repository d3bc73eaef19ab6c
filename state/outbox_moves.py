"""Moving rows of the outbox, one or many at once: only from where they were seen, each with its row of the ledger.

Belongs here: the one way in which a row changes its state. Who may be moved where, and when, is ``outbox`` and the push.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, bindparam, select, update

from core.errors import PermanentFailure
from state import ledger
from state.ledger import Event
from state.outbox_rows import OutboxEntry
from state.prepared import Prepared
from state.tables import outbox

E = TypeVar("E", bound=OutboxEntry)
ACTOR = "push"
_MOST_KEYS = 500
"""Keys asked for in one statement."""
_FEW = 2
"""So many rows are changed one by one."""
_STANDING = Prepared(
    select(outbox.c.idempotency_key, outbox.c.state, outbox.c.fencing_token).where(
        outbox.c.idempotency_key.in_(bindparam("keys", expanding=True))
    )
)


class LostToAnother(PermanentFailure):
    """Another worker moved the row first; it goes on with it."""


@dataclass(frozen=True)
class Move(Generic[E]):
    """A row as it was seen, the state it is to have, and what else changes with it."""

    row: E
    state: str
    values: Mapping[str, Any] = field(default_factory=dict)


def move_all(db: Connection, moves: Sequence[Move[E]], now: datetime, actor: str = ACTOR) -> list[E | None]:
    """Move the rows inside the caller's transaction, record each as the actor's doing, return them as they are then.

    None stands for a row that is no longer where it was seen, or no longer ours: nothing is written of it. The
    transaction holds the store's write lock, so nobody moves one between the look and the change.
    """
    # To look at a few first would be a statement more than to change each where it still stands.
    standing = _standing(db, [each.row.idempotency_key for each in moves]) if len(moves) > _FEW else None
    moved: list[E | None] = []
    changed: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    events = []
    for each in moves:
        row = each.row
        changes = {"state": each.state, "updated_at": now, **each.values}
        names, values = tuple(changes), {f"to_{name}": value for name, value in changes.items()} | _at(row)
        if standing is None:
            is_there = _change(names).change(db, values) == 1
        elif is_there := standing.get(row.idempotency_key) == (row.state, row.fencing_token):
            changed[names].append(values)
        if not is_there:
            moved.append(None)
            continue
        told = {"from": row.state, **_told(changes)}
        events.append(Event(each.state.lower(), actor, row.idempotency_key, told))
        moved.append(replace(row, **changes))
    for names, many in changed.items():
        _change(names).change_all(db, many)
    ledger.append_all(db, events)
    return moved


def few(keys: Iterable[str]) -> Iterator[list[str]]:
    """The keys in parts that fit into one statement."""
    left = iter(keys)
    while some := list(islice(left, _MOST_KEYS)):
        yield some


def _standing(db: Connection, keys: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Key → state and fencing token, as they are."""
    return {
        key: (state, token) for some in few(keys) for key, state, token in _STANDING.rows(db, {"keys": some})
    }


def _at(row: OutboxEntry) -> dict[str, Any]:
    return {"at_key": row.idempotency_key, "at_state": row.state, "at_token": row.fencing_token}


@cache
def _change(names: tuple[str, ...]) -> Prepared:
    return Prepared(
        update(outbox)
        .where(
            outbox.c.idempotency_key == bindparam("at_key"),
            outbox.c.state == bindparam("at_state"),
            outbox.c.fencing_token == bindparam("at_token"),
        )
        .values({name: bindparam(f"to_{name}") for name in names})
    )


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a change: short facts, never payloads."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if name in {"attempt_count", "not_before", "last_error"}
    }
