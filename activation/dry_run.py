"""What a push would do, each invoice against what the ERP holds right now: nothing is sent, and no row moves.

Belongs here: looking and telling. Every call that is made only reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Engine

from activation.destinations.base import Destination, PostedInvoice
from activation.destinations.base import differences as differing
from activation.document import document_of, effect_of
from activation.push import open_destination
from contracts.invoice import InvoiceDocument
from core.connections import Connection
from core.errors import WaybillError
from state import decisions, differences, kill_switch, outbox
from state.engine import reading
from state.outbox_rows import NewEffect, OutboxEntry
from state.transitions import GIVEN_UP

Action = Literal["create", "post", "skip", "hold"]


@dataclass(frozen=True)
class Intent:
    """What would become of one invoice: ``create`` it, ``post`` the draft that is there, ``skip`` what is done, or
    ``hold`` it, and why. ``found`` are the documents under its key."""

    destination: str
    shipment_no: str
    idempotency_key: str
    action: Action
    why: str
    amount: Decimal | None
    currency: str | None
    found: tuple[str, ...] = ()


def dry_run(
    engine: Engine, connections: Sequence[Connection], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Intent]:
    """One intent per released row (columns of ``outbound_erp__invoices``), as each is found out."""
    by_name = {each.connection: each for each in connections if each.destination is not None}
    grouped: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["destination"]].append(row)
    for name in sorted(grouped):
        if name not in by_name:
            why = f"no connection file offers {name} as a destination"
            yield from (_held(row, why) for row in grouped[name])
            continue
        destination = open_destination(by_name[name])
        try:
            for row in grouped[name]:
                yield _intent(engine, destination, row)
        finally:
            destination.close()


def _intent(engine: Engine, destination: Destination, row: Mapping[str, Any]) -> Intent:
    try:
        document = document_of(row)
    except ValueError as error:
        return _held(row, " ".join(str(error).split()))
    effect = effect_of(row, document)
    known = outbox.of_keys(engine, [effect.idempotency_key])
    if why := _why_held(engine, effect, known[0] if known else None):
        return _held(row, why, effect)
    try:
        found = destination.look_up(effect.idempotency_key)
    except WaybillError as error:
        return _held(row, f"{error.message} {error.remedy}", effect)
    action, why = _against(document, found)
    shown = tuple(
        f"{each.erp_id} ({each.status}, {each.grand_total_amount} {each.currency})" for each in found
    )
    return Intent(
        row["destination"], effect.shipment_no, effect.idempotency_key, action, why, effect.amount,
        effect.currency, shown,
    )  # fmt: skip


def _why_held(engine: Engine, effect: NewEffect, known: OutboxEntry | None) -> str | None:
    """What keeps it from being sent, whatever the ERP holds; None when nothing does."""
    if known is not None and known.state in GIVEN_UP:
        return f"{known.state}: {known.last_error}"
    if known is not None and known.may_exist and known.content_hash != effect.content_hash:
        return "it changed after something was sent: a credit note is needed"
    if stopped := differences.why_stopped(engine, effect.destination):
        return stopped
    with reading(engine) as db:
        switch = kill_switch.stops(db, effect.destination, effect.company)
        decision = decisions.latest_of(db, (effect.business_id, effect.revision))
    if switch is not None:
        return str(switch)
    if decision is None or decision.verdict != "released" or decision.input_hash != effect.input_hash:
        return "the decision no longer releases these inputs"
    return None


def _against(document: InvoiceDocument, found: Sequence[PostedInvoice]) -> tuple[Action, str]:
    """The invoice beside what the ERP holds under its key, judged as an attempt would."""
    if not found:
        return "create", "the ERP has nothing under its key"
    if len(found) > 1:
        return "hold", f"{len(found)} documents carry its key"
    (there,) = found
    if wrong := differing(document, there):
        return "hold", "; ".join(wrong)
    if there.status == "cancelled":
        return "hold", "it was cancelled in the ERP"
    if there.status == "draft":
        return "post", "the draft is there and equal"
    return "skip", "posted, and equal"


def _held(row: Mapping[str, Any], why: str, effect: NewEffect | None = None) -> Intent:
    return Intent(
        row["destination"], row["shipment_no"], effect.idempotency_key if effect else "", "hold", why,
        row["grand_total_amount"], row["currency"],
    )  # fmt: skip
