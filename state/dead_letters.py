"""Rows that were refused, and rows that wait for their parent: kept with reason and payload, never lost.

Belongs here: what a letter is, keeping and finding letters, and what a reading does to them. What people decide about
one is ``letter_decisions``; which moves there are is ``letter_states``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, func, select, update

from core.errors import PermanentFailure
from core.ids import canonical_json, sha256_hex
from state import ledger
from state.engine import reading
from state.insert import insert_ignoring
from state.letter_states import STANDING, Status
from state.tables import dead_letters, observations

_READER = "ingestion"
"""Who moves a letter that nobody decided on."""
_LEAST_OF_AN_ID = 6
_MOST_IDS = 500
"""Letters asked for in one statement."""


@dataclass(frozen=True)
class DeadLetter:
    """One refused or waiting row. ``raw`` is the payload as received; ``fields`` are its contract fields as the adapter
    mapped them, None where the adapter itself refused the row. The one who replayed or discarded it stands last."""

    connection: str
    kind: str
    resource: str
    source_id: str | None
    order_ref: str | None
    shipment_ref: str | None
    reason: str
    detail: str
    raw: bytes
    raw_sha256: str
    trace_id: str
    run_id: str
    status: Status
    received_at: datetime
    park_until: datetime | None = None
    source_version: datetime | None = None
    fields: dict[str, Any] | None = None
    decided_by: str | None = None
    decided_because: str | None = None
    decided_at: datetime | None = None

    @property
    def dead_letter_id(self) -> str:
        """Equal refusals of equal payloads are one letter."""
        return sha256_hex(canonical_json([self.connection, self.resource, self.raw_sha256, self.reason]))


def record(engine: Engine, letters: Sequence[DeadLetter]) -> int:
    """Keep them; the number that was not known before."""
    with engine.begin() as connection:
        return insert_ignoring(
            connection,
            dead_letters,
            [vars(each) | {"dead_letter_id": each.dead_letter_id} for each in letters],
        )


def known(engine: Engine, connection: str, resource: str) -> set[tuple[str, str]]:
    """``(raw_sha256, status)`` of what is recorded for one resource of a connection."""
    query = select(dead_letters.c.raw_sha256, dead_letters.c.status).where(
        dead_letters.c.connection == connection, dead_letters.c.resource == resource
    )
    with reading(engine) as db:
        return {(row.raw_sha256, row.status) for row in db.execute(query)}


def parked(engine: Engine, connection: str, resource: str) -> list[DeadLetter]:
    """The rows of one resource that wait for their parent, oldest first."""
    query = (
        select(dead_letters)
        .where(
            dead_letters.c.connection == connection,
            dead_letters.c.resource == resource,
            dead_letters.c.status == "parked",
        )
        .order_by(dead_letters.c.received_at)
    )
    with reading(engine) as db:
        return [_letter(row) for row in db.execute(query)]


def parked_resources(engine: Engine) -> set[tuple[str, str, str]]:
    """``(connection, kind, resource)`` of all that waits for a parent."""
    query = select(dead_letters.c.connection, dead_letters.c.kind, dead_letters.c.resource)
    with reading(engine) as db:
        return {
            (row.connection, row.kind, row.resource)
            for row in db.execute(query.where(dead_letters.c.status == "parked").distinct())
        }


def refused(engine: Engine, connection: str, resource: str) -> dict[str, list[tuple[str, str]]]:
    """``(dead_letter_id, raw_sha256)`` of one resource's open letters by the id of the row, where it could be read."""
    query = select(dead_letters.c.source_id, dead_letters.c.dead_letter_id, dead_letters.c.raw_sha256).where(
        dead_letters.c.connection == connection,
        dead_letters.c.resource == resource,
        dead_letters.c.status == "open",
        dead_letters.c.source_id.is_not(None),
    )
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    with reading(engine) as db:
        for row in db.execute(query):
            found[row.source_id].append((row.dead_letter_id, row.raw_sha256))
    return dict(found)


def resolve(engine: Engine, ids: Sequence[str]) -> int:
    """Close letters: a reading loaded their row after all. The number that was open or parked."""
    return _move(engine, ids, ("open", "parked"), "letters_loaded", {"status": "resolved"})


def expire(engine: Engine, ids: Sequence[str]) -> int:
    """Parked rows whose parent never came become open letters of reason UNKNOWN_PARENT."""
    return _move(engine, ids, ("parked",), "letters_expired", {"status": "open", "reason": "UNKNOWN_PARENT"})


def replace_parked(engine: Engine, by: Mapping[str, DeadLetter]) -> int:
    """Parked rows whose parent came and that were refused all the same: the letter that says so stands in place of theirs.

    It is there before the other is done with: who dies in between has two, and refuses the row once more.
    """
    record(engine, list(by.values()))
    return _move(engine, list(by), ("parked",), "letters_replaced", {"status": "resolved"})


@dataclass(frozen=True)
class Wanted:
    """Which letters are meant; None is all."""

    statuses: tuple[str, ...]
    connection: str | None = None
    resource: str | None = None
    reason_code: str | None = None

    def select(self, *columns: Any) -> Select[Any]:
        """The query of these columns for the letters that are meant."""
        query = select(*columns).where(dead_letters.c.status.in_(self.statuses))
        for name, value in (
            ("connection", self.connection),
            ("resource", self.resource),
            ("reason", self.reason_code),
        ):
            query = query if value is None else query.where(dead_letters.c[name] == value)
        return query


def wanted(engine: Engine, which: Wanted) -> list[DeadLetter]:
    """The letters that are meant, newest first."""
    query = which.select(dead_letters).order_by(
        dead_letters.c.received_at.desc(), dead_letters.c.dead_letter_id
    )
    with reading(engine) as db:
        return [_letter(row) for row in db.execute(query)]


def with_status(engine: Engine, status: str) -> list[DeadLetter]:
    """Every letter of one status, newest first."""
    return wanted(engine, Wanted((status,)))


def counts(engine: Engine) -> dict[str, int]:
    """How many letters have each status."""
    with reading(engine) as db:
        return {
            row.status: row.many
            for row in db.execute(
                select(dead_letters.c.status, func.count().label("many")).group_by(dead_letters.c.status)
            )
        }


def of_run(engine: Engine, run_id: str, kind: str, reasons: Sequence[str]) -> list[DeadLetter]:
    """Letters of some reasons that one run wrote first, for the systems of one kind."""
    query = (
        select(dead_letters)
        .where(
            dead_letters.c.run_id == run_id,
            dead_letters.c.kind == kind,
            dead_letters.c.reason.in_(reasons),
        )
        .order_by(dead_letters.c.connection, dead_letters.c.resource, dead_letters.c.dead_letter_id)
    )
    with reading(engine) as db:
        return [_letter(row) for row in db.execute(query)]


def get(engine: Engine, named: str) -> DeadLetter:
    """One letter by its id or the beginning of it; PermanentFailure when it names none, or several."""
    query = select(dead_letters)
    if len(named) < _LEAST_OF_AN_ID or not named.isalnum():
        query = query.where(dead_letters.c.dead_letter_id == named)
    else:
        query = query.where(dead_letters.c.dead_letter_id.startswith(named)).limit(2)
    with reading(engine) as db:
        rows = db.execute(query).all()
    if len(rows) != 1:
        told = (
            f"Several dead letters begin with {named!r}." if rows else f"There is no dead letter {named!r}."
        )
        raise PermanentFailure(told, remedy="`waybill dead-letter list` shows the ids.")
    return _letter(rows[0])


def open_reasons(engine: Engine) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Reasons of the letters that nobody is done with, by the order, and by the shipment, that they speak of.

    A letter that was replayed after the sources were last read counts too: no model has been built on its row yet.
    """
    last_read = select(func.coalesce(func.max(observations.c.observed_at), "")).scalar_subquery()
    query = select(dead_letters.c.order_ref, dead_letters.c.shipment_ref, dead_letters.c.reason).where(
        dead_letters.c.status.in_(STANDING)
        | ((dead_letters.c.status == "replayed") & (dead_letters.c.decided_at >= last_read))
    )
    orders: defaultdict[str, set[str]] = defaultdict(set)
    shipments: defaultdict[str, set[str]] = defaultdict(set)
    with reading(engine) as db:
        for row in db.execute(query):
            if row.order_ref:
                orders[row.order_ref].add(row.reason)
            if row.shipment_ref:
                shipments[row.shipment_ref].add(row.reason)
    return dict(orders), dict(shipments)


def _move(
    engine: Engine, ids: Sequence[str], before: Sequence[str], event: str, values: dict[str, str]
) -> int:
    """Move those that are as they were, and say in the ledger which; the number moved."""
    told: dict[str, str] = {}
    with engine.begin() as db:
        for start in range(0, len(ids), _MOST_IDS):
            some = ids[start : start + _MOST_IDS]
            is_meant = dead_letters.c.dead_letter_id.in_(some) & dead_letters.c.status.in_(before)
            found = db.execute(select(dead_letters.c.dead_letter_id, dead_letters.c.status).where(is_meant))
            told |= {row.dead_letter_id: row.status for row in found}
            db.execute(update(dead_letters).where(is_meant).values(**values))
        if told:
            ledger.append(
                db, event, _READER, f"{len(told)} letters", {"before": told, "after": values["status"]}
            )
    return len(told)


def _letter(row: Row[Any]) -> DeadLetter:
    fields = dict(row._mapping)
    fields.pop("dead_letter_id")
    return DeadLetter(**fields)
