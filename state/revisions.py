"""When an invoice may be written again: after the credit note of its last revision is posted, not before."""

from __future__ import annotations

from sqlalchemy import Connection, select

from core.errors import PermanentFailure
from state.outbox_rows import NewEffect
from state.tables import outbox


def refuse_uncredited(db: Connection, effect: NewEffect) -> None:
    """No next revision before the last one is credited: the database refuses it too, for all rows at once."""
    if effect.operation != "invoice" or effect.revision == 1:
        return
    credited = select(outbox.c.outbox_id).where(
        outbox.c.company == effect.company,
        outbox.c.destination == effect.destination,
        outbox.c.operation == "credit_note",
        outbox.c.business_id == effect.business_id,
        outbox.c.revision == effect.revision - 1,
        outbox.c.state.in_(("ACKED", "RECONCILED")),
    )
    if db.scalar(credited) is None:
        raise PermanentFailure(
            f"Revision {effect.revision} waits: the credit note of revision {effect.revision - 1} is not posted.",
            remedy="`waybill outbox list` shows how it stands; the push goes on by itself once it is posted.",
        )
