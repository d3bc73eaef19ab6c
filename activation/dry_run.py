"""What a push would do, each released document and each approved credit note against what the ERP holds right now: nothing is sent,
and no row moves.

Belongs here: looking and telling. Every call that is made only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Engine

from activation.breaker import Breaker
from activation.destinations.base import Destination, PostedAlert, PostedDelivery, PostedInvoice, is_behind
from activation.destinations.base import differences as differing
from activation.destinations.opening import open_destination
from activation.document import OPERATION, document_of, effect_of, stored_document
from activation.push import PATIENCE_S, operations_of, taken
from activation.worker import is_gone
from contracts.fulfilment import NO_CURRENCY
from contracts.outbound import OutboundDocument
from core.clock import utc_now
from core.connections import Connection
from core.errors import WaybillError
from state import (
    credit_notes,
    decisions,
    differences,
    kill_switch,
    order_keys,
    outbox,
    outbox_rows,
    revisions,
)
from state.engine import reading
from state.outbox_rows import NewEffect, OutboxEntry
from state.tables import outbox as table
from state.transitions import GIVEN_UP

Action = Literal["create", "post", "update", "skip", "hold"]


@dataclass(frozen=True)
class Intent:
    """What would become of one document: ``create`` it, ``post`` the draft that is there, ``update`` what is kept up, ``skip``
    what is done, or ``hold`` it, and why. ``found`` are the documents under its key; ``operation`` is a flow's, or ``credit_note``; what carries no money has no amount."""

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
    engine: Engine,
    connections: Sequence[Connection],
    rows: Sequence[Mapping[str, Any]],
    limit: int | None = None,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[Intent]:
    """One intent per released row (columns of the flows' outbound models) and per approved credit note that is not posted,
    as each is found out; credit notes first, as a push sends them.

    With a ``limit`` what a push would not come to any more is held, and not looked up.
    """
    left = limit
    by_name = {each.connection: each for each in connections if each.destination is not None}
    grouped = taken(rows, by_name)
    notes = {name: credit_notes.on_their_way(engine, name) for name in by_name}
    for name in sorted(grouped.keys() - by_name.keys()):
        why = f"no connection file offers {name} as a destination"
        yield from (_held(row, why) for row in grouped.get(name, ()))
    for name, connection in by_name.items():
        if not (notes[name] or grouped.get(name)):
            continue
        asked = _Asked(engine, open_destination(connection), connection, now, left)
        try:
            for key in notes[name]:
                yield _intent_of_note(asked, key)
            for row in grouped.get(name, ()):
                yield _intent(asked, row)
        finally:
            asked.system.close()
        left = asked.left


@dataclass
class _Asked:
    """The system that is looked into, as a push would meet it. ``left`` attempts may still be begun; None: any number."""

    engine: Engine
    system: Destination
    connection: Connection
    now: Callable[[], datetime]
    left: int | None

    @property
    def operations(self) -> tuple[str, ...]:
        """What it takes."""
        return operations_of(self.connection)

    @property
    def two_step(self) -> bool:
        """Whether it lets drafts be posted."""
        declared = self.connection.destination
        return declared is None or declared.two_step


def _intent(asked: _Asked, row: Mapping[str, Any]) -> Intent:
    try:
        document = document_of(row)
    except ValueError as error:
        return _held(row, " ".join(str(error).split()))
    effect = effect_of(row, document, asked.operations)
    known = next(iter(outbox.of_keys(asked.engine, [effect.idempotency_key])), None)
    if why := _why_held(asked, effect, known):
        return _held(row, why, effect)
    action, why, found = _looked_up(asked, effect.operation, document, known)
    return Intent(
        row["destination"], effect.shipment_no, effect.idempotency_key, action, why, *_money(effect), found,
        effect.operation,
    )  # fmt: skip


def _money(effect: NewEffect) -> tuple[Decimal | None, str | None]:
    return (None, None) if effect.currency == NO_CURRENCY else (effect.amount, effect.currency)


def _intent_of_note(asked: _Asked, key: str) -> Intent:
    with reading(asked.engine) as db:
        (row,) = outbox_rows.rows(db, table.c.idempotency_key == key)
        held = (
            f"{row.state}: {row.last_error}"
            if row.state in GIVEN_UP
            else credit_notes.why_blocked(db, row, utc_now(), kept=False)
        )
    held = held or _why_stopped(asked, row.company) or _why_later(asked, row)
    action, why, found = (
        ("hold", held, ()) if held else _looked_up(asked, row.operation, stored_document(row), row)
    )
    return Intent(
        row.destination, row.shipment_no, key, action, why, row.amount, row.currency, found, row.operation
    )


def _looked_up(
    asked: _Asked, operation: str, document: OutboundDocument, known: OutboxEntry | None
) -> tuple[Action, str, tuple[str, ...]]:
    """What would be done, why, and what the ERP has under the document's key."""
    try:
        found = asked.system.of(operation).look_up(document.idempotency_key)
    except WaybillError as error:
        return "hold", f"{error.message} {error.remedy}", ()
    if not found and known is not None and (why := _why_unsettled(asked, known)):
        return "hold", why, ()
    action, why = _against(document, found, two_step=asked.two_step)
    if asked.left is not None and action != "hold" and not _is_done(known):
        asked.left -= 1
    return action, why, tuple(map(_shown, found))


def _shown(found: PostedInvoice) -> str:
    if isinstance(found, PostedAlert):
        return f"{found.erp_id} ({found.state})"
    much = (
        f"{found.total_quantity:f} delivered"
        if isinstance(found, PostedDelivery)
        else f"{found.grand_total_amount} {found.currency}"
    )
    return f"{found.erp_id} ({found.status}, {much})"


def _is_done(known: OutboxEntry | None) -> bool:
    return known is not None and known.state in {"ACKED", "RECONCILED"}


def _why_held(asked: _Asked, effect: NewEffect, known: OutboxEntry | None) -> str | None:
    """What keeps it from being sent, whatever the ERP holds; None when nothing does."""
    if known is not None and known.state in {*GIVEN_UP, "CANCELLED"}:
        return f"{known.state}: {known.last_error}"
    if known is not None and known.may_exist and known.content_hash != effect.content_hash:
        return "it changed after something was sent: a credit note is needed"
    if (early := _why_early(asked.engine, known)) or _is_done(known):
        return early
    with reading(asked.engine) as db:
        decision = decisions.latest_of(db, (effect.business_id, effect.revision), effect.operation)
        try:
            revisions.refuse_uncredited(db, effect)
            outbox.refuse_claimed(db, effect.idempotency_key, effect.charge_keys)
        except WaybillError as error:
            return error.message
    if decision is None or decision.verdict != "released" or decision.input_hash != effect.input_hash:
        return "the decision no longer releases these inputs"
    return _why_stopped(asked, effect.company) or _why_later(asked, known)


def _why_stopped(asked: _Asked, company: str) -> str | None:
    """What keeps everything of a destination or company from being sent; None when nothing does."""
    destination = asked.connection.connection
    if stopped := differences.why_stopped(asked.engine, destination):
        return stopped
    with reading(asked.engine) as db:
        switch = kill_switch.stops(db, destination, company)
    if switch is not None:
        return str(switch)
    breaker = Breaker(asked.engine, destination, asked.now)
    return str(breaker) if breaker.is_open else None


def _why_later(asked: _Asked, known: OutboxEntry | None) -> str | None:
    """What keeps a push that begins now from coming to it; None when nothing does."""
    if asked.left == 0:
        return "a later push sends it: this one has begun as many as its limit says"
    if known is None:
        return None
    is_taken = known.leased_by and known.leased_until and known.leased_until > asked.now()
    if is_taken and not is_gone(str(known.leased_by)):
        return f"another push has taken it ({known.leased_by})"
    if known.state == "RETRY_WAIT" and known.not_before and known.not_before > _waited_for(asked):
        return f"it is not due before {known.not_before:%Y-%m-%d %H:%M:%S} UTC: {known.last_error}"
    return None


def _why_unsettled(asked: _Asked, known: OutboxEntry) -> str | None:
    """Why one of which nobody knows whether it was sent, and of which nothing is found, is not sent again yet."""
    declared = asked.connection.destination
    if known.state not in {"SENDING", "UNKNOWN"} or declared is None or declared.enforces_uniqueness:
        return None
    settled = known.not_before or known.updated_at + timedelta(seconds=declared.settle_s)
    if settled <= _waited_for(asked):
        return None
    return f"what was sent of it may take effect until {settled:%Y-%m-%d %H:%M:%S} UTC, and is looked up again then"


def _waited_for(asked: _Asked) -> datetime:
    """What is due by then a push that begins now still sends."""
    return asked.now() + timedelta(seconds=PATIENCE_S)


def _why_early(engine: Engine, known: OutboxEntry | None) -> str | None:
    """What people have to decide on first; None when nothing of the kind stands before it."""
    waits = order_keys.waits_for(engine, [known] if known is not None and known.state == "READY" else [])
    return next((each.told for each in waits.values() if each.is_stuck), None)


def _against(
    document: OutboundDocument, found: Sequence[PostedInvoice], *, two_step: bool
) -> tuple[Action, str]:
    """The document beside what the ERP holds under its key, judged as an attempt would."""
    if not found:
        return "create", "the ERP has nothing under its key"
    if len(found) > 1:
        return "hold", f"{len(found)} documents carry its key"
    (there,) = found
    if wrong := differing(document, there):
        return "hold", "; ".join(wrong)
    if there.status == "draft":
        equal = "the draft is there and equal"
        return ("post", equal) if two_step else ("hold", f"{equal}, and nothing posts drafts there")
    return _against_one(document, there)


def _against_one(document: OutboundDocument, there: PostedInvoice) -> tuple[Action, str]:
    if there.status == "cancelled":
        return "hold", "it was cancelled in the ERP"
    if is_behind(document, there):
        return "update", "it is there and says something else yet"
    return "skip", "posted, and equal"


def _held(row: Mapping[str, Any], why: str, effect: NewEffect | None = None) -> Intent:
    return Intent(
        row["destination"], row["shipment_no"], effect.idempotency_key if effect else "", "hold", why,
        row.get("grand_total_amount"), row.get("currency"), operation=row["operation"],
    )  # fmt: skip
