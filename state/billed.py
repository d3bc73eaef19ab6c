"""What each invoice of the outbox bills: read by the gate, which releases no line that another invoice bills.

Belongs here: reading alone. Lines are claimed as an effect comes in (``outbox``) and set free by a posted credit note.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import Engine, select

from core.flows import INVOICE
from state.engine import reading
from state.tables import charge_lines, outbox


def content_by_business(
    engine: Engine,
    only: tuple[Collection[str], Collection[str]] | None = None,
    operation: str = INVOICE.operation,
) -> dict[tuple[str, int], tuple[str, str, tuple[str, ...]]]:
    """``(business_id, revision)`` → state, content hash and charge keys of each effect of a flow that is or was being sent.

    ``only``: those of these business ids, and those that bill one of these charge keys.
    """
    keys: defaultdict[str, list[str]] = defaultdict(list)
    effects = select(
        outbox.c.business_id,
        outbox.c.revision,
        outbox.c.idempotency_key,
        outbox.c.state,
        outbox.c.content_hash,
    ).where(outbox.c.operation == operation)
    charges = select(charge_lines)
    if only is not None:
        ids, billed = (sorted(each) for each in only)
        billing = select(charge_lines.c.idempotency_key).where(charge_lines.c.charge_key.in_(billed))
        effects = effects.where(outbox.c.business_id.in_(ids) | outbox.c.idempotency_key.in_(billing))
        charges = charges.where(
            charge_lines.c.idempotency_key.in_(effects.with_only_columns(outbox.c.idempotency_key))
        )
    with reading(engine) as db:
        for charge in db.execute(charges):
            keys[charge.idempotency_key].append(charge.charge_key)
        found = db.execute(effects).all()
    return {
        (row.business_id, row.revision): (
            row.state,
            row.content_hash,
            tuple(sorted(keys[row.idempotency_key])),
        )
        for row in found
    }
