"""Which partner brought a shipment in itself: the first to assign it to a route has it.

Belongs here: claiming and asking. What else a partner may reach its connection says (``core.connections``).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Engine, select

from state.engine import reading
from state.insert import insert_ignoring
from state.tables_of_keys import shipment_claims as table

_MOST = 500
"""Shipments asked for in one statement."""


def claim(engine: Engine, partner: str, shipments: Collection[str], now: datetime) -> dict[str, str]:
    """Claim what nobody has; shipment → who has it now, for each of them."""
    fresh = [{"shipment_no": each, "partner": partner, "claimed_at": now} for each in sorted(set(shipments))]
    with engine.begin() as db:
        insert_ignoring(db, table, fresh)
        return _owners(db, shipments)


def owners(engine: Engine, shipments: Collection[str]) -> dict[str, str]:
    """Shipment → the partner that claimed it; what nobody claimed is left out."""
    with reading(engine) as db:
        return _owners(db, shipments)


def _owners(db: Connection, shipments: Collection[str]) -> dict[str, str]:
    wanted, found = sorted(set(shipments)), {}
    for start in range(0, len(wanted), _MOST):
        query = select(table.c.shipment_no, table.c.partner).where(
            table.c.shipment_no.in_(wanted[start : start + _MOST])
        )
        found.update({row.shipment_no: row.partner for row in db.execute(query)})
    return found
