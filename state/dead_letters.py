"""Rows that were refused, and rows that wait for their parent: kept with reason and payload, never lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, Row, select, update

from core.errors import PermanentFailure
from core.ids import canonical_json, sha256_hex
from state.engine import reading
from state.insert import insert_ignoring
from state.tables import dead_letters

Status = Literal["open", "parked", "resolved"]


@dataclass(frozen=True)
class DeadLetter:
    """One refused or waiting row. ``raw`` is the payload as received; ``fields`` are a parked row's contract
    fields, with which it is taken up again."""

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

    @property
    def dead_letter_id(self) -> str:
        """Equal refusals of equal payloads are one letter; a parked row that expires becomes another."""
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


def resolve(engine: Engine, ids: Sequence[str]) -> int:
    """Close letters: their row was loaded after all. The number that was open or parked."""
    return _set_status(engine, ids, {"status": "resolved"})


def expire(engine: Engine, ids: Sequence[str]) -> int:
    """Parked rows whose parent never came become open letters of reason UNKNOWN_PARENT."""
    return _set_status(engine, ids, {"status": "open", "reason": "UNKNOWN_PARENT"})


def with_status(engine: Engine, status: str) -> list[DeadLetter]:
    """Every letter of one status, newest first."""
    query = (
        select(dead_letters)
        .where(dead_letters.c.status == status)
        .order_by(dead_letters.c.received_at.desc(), dead_letters.c.dead_letter_id)
    )
    with reading(engine) as db:
        return [_letter(row) for row in db.execute(query)]


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


def get(engine: Engine, dead_letter_id: str) -> DeadLetter:
    """One letter; PermanentFailure when there is none."""
    with reading(engine) as db:
        row = db.execute(
            select(dead_letters).where(dead_letters.c.dead_letter_id == dead_letter_id)
        ).one_or_none()
    if row is None:
        raise PermanentFailure(
            f"There is no dead letter {dead_letter_id!r}.", remedy="`waybill dead-letter list` shows the ids."
        )
    return _letter(row)


def open_reasons(engine: Engine) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Reasons of open and parked letters by the order, and by the shipment, that they speak of."""
    query = select(dead_letters.c.order_ref, dead_letters.c.shipment_ref, dead_letters.c.reason).where(
        dead_letters.c.status != "resolved"
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


def _set_status(engine: Engine, ids: Sequence[str], values: dict[str, str]) -> int:
    with engine.begin() as db:
        return db.execute(
            update(dead_letters)
            .where(dead_letters.c.dead_letter_id.in_(ids), dead_letters.c.status != "resolved")
            .values(**values)
        ).rowcount


def _letter(row: Row[Any]) -> DeadLetter:
    fields = dict(row._mapping)
    fields.pop("dead_letter_id")
    return DeadLetter(**fields)
