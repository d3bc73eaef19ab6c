"""What a push would do, each invoice and each approved credit note against what the ERP holds right now: nothing is sent,
and no row moves.

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
from activation.document import OPERATION, document_of, effect_of, stored_document
from activation.push import open_destination
from contracts.invoice import InvoiceDocument
from core.connections import Connection
from core.errors import WaybillError
from state import credit_notes, decisions, differences, kill_switch, outbox, outbox_rows, revisions
from state.engine import reading
from state.outbox_rows import NewEffect, OutboxEntry
from state.tables import outbox as table
from state.transitions import GIVEN_UP

Action = Literal["create", "post", "skip", "hold"]


@dataclass(frozen=True)
class Intent:
    """What would become of one document: ``create`` it, ``post`` the draft that is there, ``skip`` what is done, or
    ``hold`` it, and why. ``found`` are the documents under its key; ``operation`` is ``invoice`` or ``credit_note``."""

    destination: str
    shipment_no: str
    idempotency_key: str
    action: Action
    why: str
    amount: Decimal | None
    currency: str | None
    found: tuple[str, ...] = ()
    operation: str = OPERATION


def dry_run(
    engine: Engine, connections: Sequence[Connection], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Intent]:
    """One intent per released row (columns of ``outbound_erp__invoices``) and per approved credit note that is not posted,
    as each is found out; credit notes first, as a push sends them."""
    by_name = {each.connection: each for each in connections if each.destination is not None}
    grouped: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[row["destination"]].append(row)
    notes = {name: credit_notes.on_their_way(engine, name) for name in by_name}
    for name in sorted({*grouped, *(name for name, keys in notes.items() if keys)}):
        if name not in by_name:
            why = f"no connection file offers {name} as a destination"
            yield from (_held(row, why) for row in grouped[name])
            continue
        destination, declared = open_destination(by_name[name]), by_name[name].destination
        asked = _Asked(destination, two_step=declared is None or declared.two_step)
        try:
            for key in notes[name]:
                yield _intent_of_note(engine, asked, key)
            for row in grouped[name]:
                yield _intent(engine, asked, row)
        finally:
            destination.close()


@dataclass(frozen=True)
class _Asked:
    """The system that is looked into, and whether it lets drafts be posted."""

    system: Destination
    two_step: bool


def _intent(engine: Engine, asked: _Asked, row: Mapping[str, Any]) -> Intent:
    try:
        document = document_of(row)
    except ValueError as error:
        return _held(row, " ".join(str(error).split()))
    effect = effect_of(row, document)
    known = outbox.of_keys(engine, [effect.idempotency_key])
    if why := _why_held(engine, effect, known[0] if known else None):
        return _held(row, why, effect)
    action, why, found = _looked_up(asked, effect.idempotency_key, document)
    return Intent(
        row["destination"], effect.shipment_no, effect.idempotency_key, action, why, effect.amount,
        effect.currency, found,
    )  # fmt: skip


def _intent_of_note(engine: Engine, asked: _Asked, key: str) -> Intent:
    with reading(engine) as db:
        (row,) = outbox_rows.rows(db, table.c.idempotency_key == key)
        held = (
            f"{row.state}: {row.last_error}" if row.state in GIVEN_UP else credit_notes.why_blocked(db, row)
        )
    held = held or _why_stopped(engine, row.destination, row.company)
    action, why, found = ("hold", held, ()) if held else _looked_up(asked, key, stored_document(row))
    return Intent(
        row.destination, row.shipment_no, key, action, why, row.amount, row.currency, found, row.operation
    )


def _looked_up(asked: _Asked, key: str, document: InvoiceDocument) -> tuple[Action, str, tuple[str, ...]]:
    """What would be done, why, and what the ERP has under the key."""
    try:
        found = asked.system.look_up(key)
    except WaybillError as error:
        return "hold", f"{error.message} {error.remedy}", ()
    action, why = _against(document, found, two_step=asked.two_step)
    shown = tuple(
        f"{each.erp_id} ({each.status}, {each.grand_total_amount} {each.currency})" for each in found
    )
    return action, why, shown


def _why_held(engine: Engine, effect: NewEffect, known: OutboxEntry | None) -> str | None:
    """What keeps it from being sent, whatever the ERP holds; None when nothing does."""
    if known is not None and known.state in {*GIVEN_UP, "CANCELLED"}:
        return f"{known.state}: {known.last_error}"
    if known is not None and known.may_exist and known.content_hash != effect.content_hash:
        return "it changed after something was sent: a credit note is needed"
    if stopped := _why_stopped(engine, effect.destination, effect.company):
        return stopped
    with reading(engine) as db:
        decision = decisions.latest_of(db, (effect.business_id, effect.revision))
        try:
            revisions.refuse_uncredited(db, effect)
        except WaybillError as error:
            return error.message
    if decision is None or decision.verdict != "released" or decision.input_hash != effect.input_hash:
        return "the decision no longer releases these inputs"
    return None


def _why_stopped(engine: Engine, destination: str, company: str) -> str | None:
    """What keeps everything of a destination or company from being sent; None when nothing does."""
    if stopped := differences.why_stopped(engine, destination):
        return stopped
    with reading(engine) as db:
        switch = kill_switch.stops(db, destination, company)
    return None if switch is None else str(switch)


def _against(
    document: InvoiceDocument, found: Sequence[PostedInvoice], *, two_step: bool
) -> tuple[Action, str]:
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
        equal = "the draft is there and equal"
        return ("post", equal) if two_step else ("hold", f"{equal}, and nothing posts drafts there")
    return "skip", "posted, and equal"


def _held(row: Mapping[str, Any], why: str, effect: NewEffect | None = None) -> Intent:
    return Intent(
        row["destination"], row["shipment_no"], effect.idempotency_key if effect else "", "hold", why,
        row["grand_total_amount"], row["currency"],
    )  # fmt: skip
