"""Many effects into the outbox at once: what is new and claimed by nobody in a few statements, the rest one by one.

Belongs here: telling the plain ones from the others. What becomes of one effect, and why, is ``outbox.enqueue``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, bindparam, insert, select

from core.errors import WaybillError
from state import ledger, outbox, outbox_documents
from state.outbox import Enqueued
from state.outbox_moves import few
from state.outbox_rows import NewEffect
from state.prepared import Prepared
from state.tables import charge_lines
from state.tables import outbox as table

_ENTER = Prepared(insert(table), outbox.NEW)
_CLAIM = Prepared(insert(charge_lines), charge_lines.columns.keys())


def enqueue_all(
    db: Connection, effects: Sequence[NewEffect], now: datetime
) -> dict[str, Enqueued | WaybillError]:
    """Key → what ``outbox.enqueue`` says of the effect, or the error with which it refuses it."""
    plain = _plain(db, effects)
    if plain:
        rows = [outbox.new_row(each, now) for each in plain]
        claims = [
            {"charge_key": charge, "idempotency_key": each.idempotency_key}
            for each in plain
            for charge in each.charge_keys
        ]
        outbox_documents.keep(db, plain)
        _ENTER.change_all(db, rows)
        _CLAIM.change_all(db, claims)
        ledger.append_all(db, [outbox.enqueued_event(each) for each in plain])
    said: dict[str, Enqueued | WaybillError] = {each.idempotency_key: "new" for each in plain}
    for effect in effects:
        if effect.idempotency_key not in said:
            try:
                said[effect.idempotency_key] = outbox.enqueue(db, effect, now)
            except WaybillError as error:
                said[effect.idempotency_key] = error
    return said


def _plain(db: Connection, effects: Sequence[NewEffect]) -> list[NewEffect]:
    """First revisions that nothing in the outbox, and nothing else among the effects, has to do with."""
    keys = Counter(each.idempotency_key for each in effects)
    charges = Counter(charge for each in effects for charge in each.charge_keys)
    known = _found(db, table.c.idempotency_key, keys) | {key for key, many in keys.items() if many > 1}
    claimed = _found(db, charge_lines.c.charge_key, charges)
    claimed |= {charge for charge, many in charges.items() if many > 1}
    return [
        each
        for each in effects
        if each.revision == 1 and each.idempotency_key not in known and claimed.isdisjoint(each.charge_keys)
    ]


def _found(db: Connection, column: Column[str], values: Iterable[str]) -> set[str]:
    query = select(column).where(column.in_(bindparam("values", expanding=True)))
    return {value for some in few(values) for value in db.scalars(query, {"values": some})}
