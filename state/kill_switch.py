"""The kill switch: who stopped what may be sent, and who let it go on.

One person pulls it; to release it takes two, which the database holds as well. Every send asks it in the very
transaction that begins the attempt, so that nothing begins once it is pulled. What had begun by then ends as ever.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, and_, bindparam, insert, or_, select, update

from core.errors import PermanentFailure
from state import ledger
from state.engine import reading
from state.people import is_same
from state.prepared import Prepared
from state.tables_of_people import kill_switches as table

Kind = Literal["global", "destination", "company"]


@dataclass(frozen=True)
class Scope:
    """What a switch stops: everything, or one destination or company by its name."""

    kind: Kind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True)
class Switch:
    """A switch that is pulled, and who has asked to release it."""

    switch_id: int
    kind: Kind
    name: str
    pulled_by: str
    pulled_because: str
    pulled_at: datetime
    release_asked_by: str | None
    release_asked_because: str | None
    release_asked_at: datetime | None

    @property
    def scope(self) -> Scope:
        """What it stops."""
        return Scope(self.kind, self.name)

    def __str__(self) -> str:
        return (
            f"nothing is sent: {self.pulled_by} pulled the kill switch ({self.scope}) at {self.pulled_at:%Y-%m-%d %H:%M} "
            f"UTC: {self.pulled_because}. Remedy: two people release it with `waybill kill-switch release`."
        )


def pull(engine: Engine, scope: Scope, actor: str, reason: str, now: datetime) -> Switch:
    """Stop what the scope names; a switch that is pulled already stays as it is, and a release asked for is off."""
    with engine.begin() as db:
        standing = _standing(db, scope)
        if standing is None:
            pulled = {"pulled_by": actor, "pulled_because": reason, "pulled_at": now}
            db.execute(insert(table).values(kind=scope.kind, name=scope.name, **pulled))
        else:
            nobody = {"release_asked_by": None, "release_asked_because": None, "release_asked_at": None}
            db.execute(update(table).where(table.c.switch_id == standing.switch_id).values(**nobody))
        before = "released" if standing is None else "pulled"
        ledger.append(db, "kill_switch_pulled", actor, str(scope), _told(before, "pulled", reason))
        found = _standing(db, scope)
    assert found is not None
    return found


def release(engine: Engine, scope: Scope, actor: str, reason: str, now: datetime) -> Switch | None:
    """The first person asks for the release, another one carries it out; the switch as it stands, None once released.

    PermanentFailure when nothing is pulled, or when the one who asked comes again.
    """
    with engine.begin() as db:
        standing = _standing(db, scope)
        if standing is None:
            raise PermanentFailure(
                f"No kill switch is pulled for {scope}.",
                remedy="`waybill kill-switch status` lists those that are.",
            )
        if standing.release_asked_by is None:
            asked = {"release_asked_by": actor, "release_asked_because": reason, "release_asked_at": now}
            _change(db, standing, asked)
            told = _told("pulled", "release asked for", reason)
            ledger.append(db, "kill_switch_release_asked", actor, str(scope), told)
            return _standing(db, scope)
        if is_same(standing.release_asked_by, actor):
            raise PermanentFailure(
                f"{actor} has asked for the release of {scope} already, and cannot carry it out as well.",
                remedy="Somebody else runs `waybill kill-switch release` under their own name.",
            )
        _change(db, standing, {"released_by": actor, "released_because": reason, "released_at": now})
        told = _told("release asked for", "released", reason) | {"asked_by": standing.release_asked_by}
        ledger.append(db, "kill_switch_released", actor, str(scope), told)
    return None


def pulled(engine: Engine) -> list[Switch]:
    """Every switch that stands, oldest first."""
    with reading(engine) as db:
        return _switches(db)


def stops(db: Connection, destination: str, company: str | None = None) -> Switch | None:
    """The switch that keeps rows of a destination from being sent; with a company, also one for that alone."""
    found = _STOPPING.rows(db, {"destination": destination, "company": company})
    return _switches(db, table.c.switch_id == found[0][0])[0] if found else None


def stopped_companies(db: Connection) -> list[str]:
    """Companies for which alone a switch is pulled."""
    return [each.name for each in _switches(db, table.c.kind == "company")]


def _standing(db: Connection, scope: Scope) -> Switch | None:
    found = _switches(db, and_(table.c.kind == scope.kind, table.c.name == scope.name))
    return found[0] if found else None


def _switches(db: Connection, *where: Any) -> list[Switch]:
    return [_switch(row) for row in db.execute(_STANDING.where(*where))]


_STANDING = select(table).where(table.c.released_at.is_(None)).order_by(table.c.switch_id)
_STOPPING = Prepared(
    _STANDING.with_only_columns(table.c.switch_id).where(
        or_(
            table.c.kind == "global",
            and_(table.c.kind == "destination", table.c.name == bindparam("destination")),
            # Without a company this is true of none.
            and_(table.c.kind == "company", table.c.name == bindparam("company")),
        )
    )
)


def _switch(row: Row[Any]) -> Switch:
    return Switch(**{each.name: getattr(row, each.name) for each in fields(Switch)})


def _change(db: Connection, switch: Switch, values: dict[str, Any]) -> None:
    db.execute(update(table).where(table.c.switch_id == switch.switch_id).values(**values))


def _told(before: str, after: str, reason: str) -> dict[str, str]:
    return {"before": before, "after": after, "reason": reason}
