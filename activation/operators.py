"""What people decide about an effect that the push has given up: after a fresh look, and two of them.

Belongs here: asking the foreign system, and what its answer allows. Keeping and moving is ``state.proposals``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from activation.destinations.base import Destination
from activation.destinations.opening import open_destination
from activation.document import stored_document
from core.clock import utc_now
from core.connections import Connection
from core.errors import PermanentFailure
from state import outbox, outbox_rows, proposals
from state.engine import reading
from state.outbox_rows import OutboxEntry
from state.proposals import Found, Proposal
from state.tables import outbox as table
from state.transitions import GIVEN_UP, TRANSITIONS

Opener = Callable[[Connection], Destination]
TARGETS: Final = {"retry": "READY", "look-up": "UNKNOWN", "cancel": "CANCELLED", "bill-again": "BLOCKED"}
"""What may be proposed: send it, find out what became of it, never send it, or take that back."""


def propose(
    engine: Engine,
    connections: Sequence[Connection],
    named: str,
    target: str,
    actor: str,
    reason: str,
    *,
    now: Callable[[], datetime] = utc_now,
    opened: Opener = open_destination,
) -> Proposal:
    """Look the effect up and propose what to do with it. PermanentFailure when it, or what was found, forbids that;
    WaybillError when the foreign system cannot be asked. ``now`` is the machine's clock."""
    entry = _decidable(engine, named)
    found = _look_up(engine, connections, entry, now(), opened)
    _allow(entry, TARGETS[target], found)
    return proposals.propose(engine, entry, TARGETS[target], found, actor, reason, now())


def confirm(
    engine: Engine,
    connections: Sequence[Connection],
    named: str,
    actor: str,
    reason: str,
    *,
    now: Callable[[], datetime] = utc_now,
    opened: Opener = open_destination,
) -> OutboxEntry:
    """Look the effect up again and carry out what another person proposed; the effect as it is then."""
    entry = _decidable(engine, named)
    found = _look_up(engine, connections, entry, now(), opened)
    return proposals.confirm(engine, entry, found, actor, reason, now())


def _decidable(engine: Engine, named: str) -> OutboxEntry:
    found = [
        each
        for each in outbox.rows(engine)
        if named == each.shipment_no or (len(named) >= 6 and each.idempotency_key.startswith(named))
    ]
    if len(found) > 1:
        # A shipment has a confirmation, an invoice and its credit note: of these, that about which somebody has to decide.
        found = [each for each in found if each.state in GIVEN_UP] or [
            each for each in found if each.state == "CANCELLED"
        ]
    if len(found) != 1:
        raise PermanentFailure(
            f"{len(found)} rows of the outbox are called {named!r}.",
            remedy="`waybill outbox list` prints shipments and keys; the beginning of a key is enough.",
        )
    (entry,) = found
    if entry.state not in {*GIVEN_UP, "CANCELLED"}:
        raise PermanentFailure(
            f"{entry.shipment_no} is {entry.state}: the push goes on with it by itself.",
            remedy=f"Nobody decides about a row before it is {', '.join(sorted(GIVEN_UP))} or CANCELLED.",
        )
    return entry


def _look_up(
    engine: Engine, connections: Sequence[Connection], entry: OutboxEntry, now: datetime, opened: Opener
) -> Found:
    known = {each.connection: each for each in connections if each.destination is not None}
    if entry.destination not in known:
        raise PermanentFailure(
            f"No connection file offers {entry.destination!r} as a destination, so nothing can be looked up.",
            remedy="Bring its file back, or point WAYBILL_CONNECTIONS to the folder that has it.",
        )
    if entry.state == "CANCELLED":
        _settled(known[entry.destination], entry, now)
    with reading(engine) as db:
        (row,) = outbox_rows.rows(db, table.c.idempotency_key == entry.idempotency_key)
    destination = opened(known[entry.destination])
    try:
        documents = destination.of(entry.operation).look_up(stored_document(row).idempotency_key)
    finally:
        destination.close()
    return sorted(
        (
            {
                "erp_id": each.erp_id,
                "status": each.status,
                "currency": each.currency,
                "grand_total": str(each.grand_total_amount),
            }
            for each in documents
        ),
        key=lambda each: each["erp_id"],
    )


def _settled(connection: Connection, entry: OutboxEntry, now: datetime) -> None:
    """Refuse to look before everything that was ever sent of it has taken effect or never will: nothing found would prove
    nothing. Nothing was sent after it was cancelled."""
    settle_s = connection.destination.settle_s if connection.destination else 0.0
    settled = entry.updated_at + timedelta(seconds=settle_s)
    if now < settled:
        raise PermanentFailure(
            f"What was sent of {entry.shipment_no} before it was cancelled may still take effect in {entry.destination}.",
            remedy=f"Look again after {settled:%Y-%m-%d %H:%M:%S} UTC.",
        )


def _allow(entry: OutboxEntry, to_state: str, found: Found) -> None:
    """Refuse what could bill twice, or would forget what is billed."""
    if to_state not in TRANSITIONS[entry.state]:
        raise PermanentFailure(
            f"{entry.shipment_no} is {entry.state} and cannot become {to_state}.",
            remedy=f"Possible is {', '.join(sorted(TRANSITIONS[entry.state]))}.",
        )
    there = [each for each in found if each["status"] == "posted" or to_state == "CANCELLED"]
    there = [each for each in there if each["status"] != "cancelled"]
    # What would be sent anew is compared with whatever is there, cancelled or not.
    there = found if to_state == "BLOCKED" else there
    if there and to_state != "UNKNOWN":
        told = ", ".join(f"{each['erp_id']} ({each['status']})" for each in there)
        raise PermanentFailure(
            f"The ERP has {told} under the key of {entry.shipment_no}.",
            remedy="Remove it in the ERP first, or bill by hand."
            if to_state == "BLOCKED"
            else "Propose `look-up`, so that it is compared and acknowledged; or remove it in the ERP first.",
        )
