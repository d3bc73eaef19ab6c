"""What reconciliations found to differ between our receipts and a foreign system, and who settled it.

Belongs here: keeping, asking and settling. What differs is found out by ``activation.reconcile``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, insert, select, update

from core.errors import PermanentFailure
from core.ids import canonical_json, sha256_hex
from state import ledger
from state.engine import reading
from state.tables import reconciliation_differences as table

RECONCILIATION = "reconciliation"
"""Who settles what a later reconciliation found equal, and who acts in the ledger."""
Kind = Literal["missing", "extra", "different"]
_TOLD = 3


@dataclass(frozen=True)
class Difference:
    """One invoice that differs. ``missing``: acknowledged and not posted there; ``extra``: posted there under a key
    of ours and not acknowledged; ``different``: posted with other content than was acknowledged."""

    destination: str
    kind: Kind
    idempotency_key: str
    erp_id: str
    shipment_no: str | None
    company: str
    currency: str
    issue_date: str | None
    acknowledged_amount: Decimal | None
    found_amount: Decimal | None
    detail: str

    @property
    def difference_id(self) -> str:
        """The same difference, found again, is one difference."""
        return sha256_hex(
            canonical_json([self.destination, self.kind, self.idempotency_key, self.erp_id, self.detail])
        )

    def __str__(self) -> str:
        what = self.shipment_no or self.idempotency_key[:12]
        return f"{self.difference_id[:12]}: {what} ({self.erp_id}): {self.detail}"


def record(db: Connection, destination: str, found: Sequence[Difference], now: datetime) -> None:
    """Keep what one reconciliation of a destination found, inside its transaction.

    What a person settled stays settled as long as it is found unchanged; what was open and is no longer found
    is settled by the reconciliation, and open again when it comes back.
    """
    known = {
        row.difference_id: row for row in db.execute(select(table).where(table.c.destination == destination))
    }
    ids = {each.difference_id for each in found}
    for each in {each.difference_id: each for each in found}.values():
        standing = known.get(each.difference_id)
        if standing is None:
            db.execute(insert(table).values(**vars(each), difference_id=each.difference_id, found_at=now))
        elif standing.settled_by == RECONCILIATION:
            _settle(db, each.difference_id, None, None, None)
        else:
            continue
        told = {
            "difference": each.difference_id,
            "kind": each.kind,
            "detail": each.detail,
            "erp_id": each.erp_id,
        }
        ledger.append(db, "difference_found", RECONCILIATION, each.idempotency_key, told)
    for difference_id, row in known.items():
        if row.settled_at is None and difference_id not in ids:
            _settle(db, difference_id, now, RECONCILIATION, "a later reconciliation no longer found it")
            told = {"difference": difference_id}
            ledger.append(db, "difference_gone", RECONCILIATION, row.idempotency_key, told)


def open_of(engine: Engine, destination: str | None = None) -> list[Difference]:
    """What nobody has settled yet, oldest first; of one destination when named."""
    query = (
        select(table).where(table.c.settled_at.is_(None)).order_by(table.c.found_at, table.c.difference_id)
    )
    if destination is not None:
        query = query.where(table.c.destination == destination)
    with reading(engine) as db:
        return [_difference(row) for row in db.execute(query)]


def why_stopped(engine: Engine, destination: str) -> str | None:
    """Why nothing may be sent to a destination, with what to do; None when nothing is open."""
    found = open_of(engine, destination)
    if not found:
        return None
    told = "; ".join(str(each) for each in found[:_TOLD])
    return (
        f"{destination}: nothing is sent: the last reconciliation left {len(found)} differences open "
        f"({told}{'; …' if len(found) > _TOLD else ''}). Remedy: correct the ERP and run `waybill reconcile` again, or "
        "accept each with `waybill reconcile --settle ID --actor NAME --reason TEXT`."
    )


def settle(engine: Engine, prefix: str, actor: str, reason: str, now: datetime) -> Difference:
    """A person accepts one open difference: the push may go on. PermanentFailure unless exactly one begins so."""
    query = select(table).where(
        table.c.settled_at.is_(None), table.c.difference_id.startswith(prefix, autoescape=True)
    )
    with engine.begin() as db:
        found = [_difference(row) for row in db.execute(query)]
        if len(found) != 1 or not prefix:
            raise PermanentFailure(
                f"{len(found)} open differences begin with {prefix!r}.",
                remedy="`waybill reconcile` lists the open ones with their ids.",
            )
        (accepted,) = found
        _settle(db, accepted.difference_id, now, actor, reason)
        told = {"difference": accepted.difference_id, "kind": accepted.kind, "reason": reason}
        ledger.append(db, "difference_settled", actor, accepted.idempotency_key, told)
    return accepted


def _settle(
    db: Connection, difference_id: str, at: datetime | None, by: str | None, because: str | None
) -> None:
    db.execute(
        update(table)
        .where(table.c.difference_id == difference_id)
        .values(settled_at=at, settled_by=by, settled_because=because)
    )


def _difference(row: Row[Any]) -> Difference:
    return Difference(**{each.name: getattr(row, each.name) for each in fields(Difference)})
