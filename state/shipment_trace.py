"""What Waybill itself has noted of one shipment, in the order in which it happened.

Belongs here: reading messages, letters, decisions, attempts and receipts of a shipment. What the sources say of it is in the
marts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, Engine, Text, select, type_coerce

from core.flows import BY_OPERATION, INVOICE
from state.engine import reading
from state.observations import machine_time
from state.tables import dead_letters, outbox, push_attempts, receipts
from state.tables_of_decisions import gate_decisions
from state.tables_of_messages import inbox


@dataclass(frozen=True)
class TraceStep:
    """Something that happened at ``at``, by this machine's clock. ``source``: which part of Waybill noted it."""

    at: datetime
    what: str
    source: str
    detail: str


def steps_of(engine: Engine, shipment_no: str) -> list[TraceStep]:
    """Every step of a shipment, oldest first; none when nothing was noted of it."""
    with reading(engine) as db:
        found = [
            *_messages(db, shipment_no),
            *_attempts(db, shipment_no),
            *_receipts(db, shipment_no),
        ]
        judged = [*_letters(db, shipment_no), *_decisions(db, shipment_no)]
    # Letters and decisions have the business's time: the same clock for all.
    found += [replace(each, at=machine_time(engine, each.at)) for each in judged]
    return sorted(found, key=lambda each: each.at)


def _messages(db: Connection, shipment_no: str) -> Iterator[TraceStep]:
    # The list is JSON text; what looks alike is told apart by reading it.
    query = select(inbox).where(
        type_coerce(inbox.c.shipments, Text).contains(f'"{shipment_no}"', autoescape=True)
    )
    for row in db.execute(query.with_only_columns(
        inbox.c.message_id, inbox.c.partner, inbox.c.kind, inbox.c.received_at, inbox.c.settled_at, inbox.c.loaded,
        inbox.c.rows_in, inbox.c.shipments,
    )):  # fmt: skip
        if shipment_no in (row.shipments or ()):
            told = f"{row.kind} of {row.partner}, {row.message_id}"
            yield TraceStep(row.received_at, "message received", "inbox", told)
            yield TraceStep(row.settled_at, "message loaded", "inbox", f"{row.loaded} of {row.rows_in} rows")


def _letters(db: Connection, shipment_no: str) -> Iterator[TraceStep]:
    for row in db.execute(select(dead_letters).where(dead_letters.c.shipment_ref == shipment_no)):
        told = f"{row.connection} {row.resource}: {row.detail}"
        yield TraceStep(row.received_at, f"refused: {row.reason}", "dead letters", told)


def _decisions(db: Connection, shipment_no: str) -> Iterator[TraceStep]:
    for row in db.execute(select(gate_decisions).where(gate_decisions.c.shipment_no == shipment_no)):
        told = ", ".join([*row.codes, *row.warnings]) or "no objection"
        about = "" if row.operation == INVOICE.operation else f"{row.operation} "
        yield TraceStep(row.decided_at, f"gate: {about}{row.verdict}", "gate", told)


def _attempts(db: Connection, shipment_no: str) -> Iterator[TraceStep]:
    query = (
        select(push_attempts, outbox.c.operation, outbox.c.destination)
        .join(outbox, outbox.c.idempotency_key == push_attempts.c.idempotency_key)
        .where(outbox.c.shipment_no == shipment_no)
    )
    for row in db.execute(query):
        yield TraceStep(row.started_at, f"{row.operation}: attempt {row.attempt_no}", "push", row.destination)
        if row.ended_at is not None:
            told = ", ".join(str(each) for each in (row.erp_id, row.detail) if each)
            yield TraceStep(row.ended_at, f"{row.operation}: {row.outcome}", "push", told)


def _receipts(db: Connection, shipment_no: str) -> Iterator[TraceStep]:
    query = (
        select(receipts, outbox.c.operation)
        .join(outbox, outbox.c.idempotency_key == receipts.c.idempotency_key)
        .where(receipts.c.shipment_no == shipment_no)
    )
    for row in db.execute(query):
        is_billing = row.operation not in BY_OPERATION or row.operation == INVOICE.operation
        what = "invoice" if is_billing else row.operation
        told = [row.erp_id]
        if is_billing:
            told.append(f"{row.grand_total_amount} {row.currency}")
        elif row.total_quantity is not None:
            told.append(f"{row.total_quantity:f} delivered")
        yield TraceStep(row.read_back_at, f"{what} read back equal", "push", ", ".join(told))
