"""Which fields each source sends: those of its first reading are agreed, what comes on top later is drift.

Belongs here: remembering and counting. A field that nobody agreed on refuses no row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from core.clock import utc_now
from state.engine import reading
from state.tables import source_fields


@dataclass(frozen=True)
class Drift:
    """A field that a source sends and that its first reading did not have; ``row_count`` counts every telling."""

    connection: str
    kind: str
    resource: str
    field: str
    row_count: int
    first_seen_at: datetime
    last_seen_at: datetime
    first_run_id: str


def record(
    engine: Engine, connection: str, kind: str, run_id: str, seen: Mapping[str, Mapping[str, int]]
) -> None:
    """Keep what one reading met: by resource and field, in how many rows it stood."""
    now = utc_now()
    key = (source_fields.c.connection == connection, source_fields.c.kind == kind)
    with engine.begin() as db:
        known: dict[str, dict[str, bool]] = {}
        for row in db.execute(select(source_fields).where(*key)):
            known.setdefault(row.resource, {})[row.field] = row.is_agreed
        for resource, fields in seen.items():
            before = known.get(resource, {})
            for field, rows in fields.items():
                if field not in before:
                    db.execute(
                        insert(source_fields).values(
                            connection=connection, kind=kind, resource=resource, field=field,
                            is_agreed=not before, row_count=rows, first_seen_at=now, last_seen_at=now,
                            first_run_id=run_id,
                        )
                    )  # fmt: skip
                elif not before[field]:
                    db.execute(
                        update(source_fields)
                        .where(*key, source_fields.c.resource == resource, source_fields.c.field == field)
                        .values(row_count=source_fields.c.row_count + rows, last_seen_at=now)
                    )


def drift(engine: Engine) -> list[Drift]:
    """Every field that nobody agreed on, by connection and resource."""
    query = (
        select(source_fields)
        .where(source_fields.c.is_agreed.is_(False))
        .order_by(source_fields.c.connection, source_fields.c.resource, source_fields.c.field)
    )
    names = tuple(Drift.__dataclass_fields__)
    with reading(engine) as db:
        return [Drift(**{name: getattr(row, name) for name in names}) for row in db.execute(query)]
