"""What has to hold in a world of ``world``, whatever happens in it.

After every step: no key has two posted documents; no shipment has two posted invoices that no credit note reverses, whatever their
keys; no invoice is credited for more than it says; nothing was sent before what it follows (a confirmation, the credit note of the
revision before), nor after it was taken back or cancelled. In the end the books of both sides say the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

from state import credit_notes, outbox
from state.transitions import GIVEN_UP

if TYPE_CHECKING:
    from tests.simulation.world import Simulation


class Broken(AssertionError):
    """A promise that did not hold, and at which seed and step."""


def after_a_step(world: Simulation, step: int) -> None:
    """Broken when one does not hold now."""
    asked_for, world.erp.asked_for = set(world.erp.asked_for), []
    for why in (*_wrongly_sent(world, asked_for), *_wrong_in_the_erp(world)):
        raise Broken(f"seed {world.seed}, step {step}: {why}")


def _wrongly_sent(world: Simulation, asked_for: set[str]) -> list[str]:
    posted, live, people = world.erp.posted(), world.erp.live(), world.people
    early = {
        key for key in world.goes_first.keys() & asked_for
        if not posted[world.goes_first[key]] and world.goes_first[key] not in people.ever_cancelled
    }  # fmt: skip
    uncredited = {key for key in world.follows.keys() & asked_for if live.get(world.follows[key])}
    return [
        *(f"{key[:12]} was taken back and sent" for key in world.taken_back.keys() & asked_for),
        *(f"{key[:12]} was cancelled and sent" for key in people.cancelled & asked_for),
        *(f"{key[:12]} was sent before its confirmation" for key in early),
        *(f"{key[:12]} was sent before the credit note of {world.follows[key][:12]}" for key in uncredited),
    ]


def _wrong_in_the_erp(world: Simulation) -> list[str]:
    posted = world.erp.posted()
    live = Counter(
        world.row_of_key[key]["shipment_no"]
        for key, documents in world.erp.live().items()
        if world.row_of_key[key]["operation"] == "invoice"
        for _ in documents
    )
    return [
        *(f"{many} posted invoices under {key[:12]}" for key, many in posted.items() if many > 1),
        *(f"{many} live invoices of {shipment}" for shipment, many in live.items() if many > 1),
        *_credited_too_much(world),
    ]


def _credited_too_much(world: Simulation) -> list[str]:
    credited: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in world.erp.documents.values():
        if each.invoice.status == "posted" and each.invoice.credited_erp_id is not None:
            credited[each.invoice.credited_erp_id] -= each.invoice.grand_total_amount
    billed = {erp_id: world.erp.documents[erp_id].invoice.grand_total_amount for erp_id in credited}
    return [
        f"{amount} of {billed[erp_id]} credited of {erp_id}"
        for erp_id, amount in credited.items()
        if amount > billed[erp_id]
    ]


def in_the_end(world: Simulation) -> None:
    """Broken unless the outbox and the ERP know the same live invoice of each shipment, or both none."""
    posted, rows = world.erp.posted(), outbox.rows(world.engine)
    acked = {row.idempotency_key: row for row in rows if row.state == "ACKED"}
    for key, row in acked.items():
        if posted[key] != 1:
            raise Broken(f"seed {world.seed}: {row.shipment_no} is acknowledged and not posted")
    notes = [row for row in acked.values() if row.operation == credit_notes.OPERATION]
    credited = {credit_notes.key_of(note, "invoice") for note in notes}
    known = {key for key, row in acked.items() if row.operation == "invoice"} - credited
    live = {key for key in world.erp.live() if world.row_of_key[key]["operation"] == "invoice"}
    # What people have to decide about may stand there, and what was sent, taken back, and then posted by a call that came late:
    # the reconciliation shows it.
    told = {
        row.idempotency_key
        for row in rows
        if row.state in GIVEN_UP or (row.state == "BLOCKED" and row.may_exist)
    }
    for key in (known - live) | (live - known - told):
        raise Broken(f"seed {world.seed}: {key[:12]} stands in one of the books alone")
