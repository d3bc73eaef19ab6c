"""Reconciliation: released = acknowledged = in the foreign system, by day, currency and company, row by row.

Confirmations carry no money: they are counted under the currency XXX with amounts of 0, and their quantities are compared.
What is kept up is left out: people go on working with it, so that what it says later is no difference.

What is released and not acknowledged is still under way or waits for a person; it is counted and stops nothing.
What was acknowledged and is not there as it was, or is there and was never acknowledged, is a difference: until
somebody settles it, or a later reconciliation no longer finds it, the push sends nothing to that destination.

Belongs here: asking and recording. What differs is judged by ``compare``, kept by ``state.differences``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection as Db
from sqlalchemy import Engine

from activation import compare
from activation.destinations.base import Destination, PostedInvoice
from activation.destinations.opening import open_destination
from activation.document import stored_document
from activation.push import operations_of, recover
from core.clock import utc_now
from core.connections import Connection
from core.flows import KEPT_UP
from state import attempts, credit_notes, differences, ledger, outbox
from state.attempts import Receipt
from state.differences import RECONCILIATION, Difference
from state.outbox_moves import LostToAnother
from state.outbox_rows import OutboxEntry

DAYS_AGAIN = 7
"""How far back, in days of issue, what was reconciled is compared again."""
Group = tuple[str, str, str]
"""Issue date (``unknown`` where there is none), company, currency."""


@dataclass
class Line:
    """Counts and amounts (in the group's currency) of one group."""

    released: int = 0
    released_amount: Decimal = Decimal(0)
    acknowledged: int = 0
    acknowledged_amount: Decimal = Decimal(0)
    in_erp: int = 0
    in_erp_amount: Decimal = Decimal(0)


@dataclass
class Reconciliation:
    """One destination compared. ``since`` is the first day of issue that was listed, None for all; ``open`` are the
    differences that stop the push; ``reconciled`` counts the rows that became so."""

    destination: str
    since: date | None
    lines: dict[Group, Line] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    open: list[Difference] = field(default_factory=list)
    reconciled: int = 0

    def line(self, issued: date | None, company: str, currency: str) -> Line:
        """The line of a group, made when it is new."""
        return self.lines.setdefault((str(issued or "unknown"), company, currency), Line())


def reconcile(engine: Engine, connections: Sequence[Connection]) -> list[Reconciliation]:
    """Compare every destination, record what differs. The destination's own errors when it does not answer:
    nothing is recorded of it then."""
    done = []
    for connection in connections:
        if connection.destination is None:
            continue
        # What a crash left in doubt is no difference yet.
        recover(engine, [connection])
        destination = open_destination(connection)
        try:
            done.append(_reconcile(engine, connection, destination))
        finally:
            destination.close()
    return done


def _kinds(engine: Engine, connection: Connection, destination: Destination) -> dict[str, Destination]:
    """Operation → the documents it wrote there: of what the destination takes, and of what was ever sent to it."""
    operations = {*operations_of(connection), *outbox.operations(engine, connection.connection)}
    return {each: destination.of(each) for each in sorted(operations - KEPT_UP - {credit_notes.OPERATION})}


def _reconcile(engine: Engine, connection: Connection, destination: Destination) -> Reconciliation:
    name, kinds = connection.connection, _kinds(engine, connection, destination)
    before = differences.open_of(engine, name)
    result = Reconciliation(name, _since(engine, name, before))
    # The foreign lists first, our own rows after them: what is posted in between is looked up, not missed.
    found: defaultdict[str, list[PostedInvoice]] = defaultdict(list)
    for kind in kinds.values():
        for each in kind.list_keyed(result.since):
            found[each.idempotency_key].append(each)
    receipts = attempts.to_reconcile(engine, name, result.since, found.keys())
    _ask_again(engine, kinds, found, receipts, before)
    entries = {
        each.idempotency_key: each
        for each in outbox.of_keys(engine, [*receipts, *found.keys() - receipts.keys()])
    }
    for key, receipt in receipts.items():
        if difference := compare.acknowledged(receipt, found[key]):
            result.differences.append(difference)
    everything = [each for some in found.values() for each in some]
    result.differences += compare.extra(name, everything, receipts, entries)
    _add_up(result, [(entries[key], receipt) for key, receipt in receipts.items()], everything)
    _add_unacknowledged(engine, result, receipts.keys())
    with engine.begin() as db:
        _record(db, result, [entries[key] for key in receipts])
    result.open = differences.open_of(engine, name)
    return result


def _since(engine: Engine, name: str, before: Iterable[Difference]) -> date | None:
    """The first day of issue to list: of all that is not reconciled, of what is open, and some days again.

    By the documents' own days: the foreign system's clock is not ours.
    """
    oldest, newest = attempts.days_to_reconcile(engine, name)
    days = [date.fromisoformat(each.issue_date) for each in before if each.issue_date]
    days += [oldest] if oldest else []
    days += [newest - timedelta(days=DAYS_AGAIN)] if newest else []
    return min(days) if newest else None


def _ask_again(
    engine: Engine,
    kinds: Mapping[str, Destination],
    found: dict[str, list[PostedInvoice]],
    receipts: Mapping[str, Receipt],
    before: Iterable[Difference],
) -> None:
    """Look up by its key what the lists have not as posted: it may bear another day, or be a draft or cancelled."""
    posted = {key for key, some in found.items() if any(each.status == "posted" for each in some)}
    asked = receipts.keys() | {each.idempotency_key for each in before if each.kind == "extra"}
    missing = sorted(asked - posted)
    known = {each.idempotency_key: kinds.get(each.operation) for each in outbox.of_keys(engine, missing)}
    for key in missing:
        # A credit note lies among the invoices; of a key that nobody knows, no list tells what it is.
        kind = known.get(key)
        asking = [kind] if kind else list(kinds.values())
        found[key] = [each for one in asking for each in one.look_up(key)]


def _add_up(
    result: Reconciliation,
    acknowledged: Iterable[tuple[OutboxEntry, Receipt]],
    found: Iterable[PostedInvoice],
) -> None:
    for entry, receipt in acknowledged:
        line = result.line(receipt.issue_date, receipt.company, receipt.currency)
        line.released += 1
        line.released_amount += entry.amount
        line.acknowledged += 1
        line.acknowledged_amount += receipt.grand_total_amount
    for each in found:
        if each.status == "posted":
            line = result.line(each.issue_date, each.company_id, each.currency)
            line.in_erp += 1
            line.in_erp_amount += each.grand_total_amount


def _add_unacknowledged(engine: Engine, result: Reconciliation, acknowledged: Collection[str]) -> None:
    """What the gate released and nobody acknowledged yet, on the day that it is to bear."""
    for row in outbox.unacknowledged(engine, result.destination):
        if row.idempotency_key not in acknowledged and row.operation not in KEPT_UP:
            document = stored_document(row)
            line = result.line(document.issue_date, row.company, row.currency)
            line.released += 1
            line.released_amount += row.amount


def _record(db: Db, result: Reconciliation, rows: Iterable[OutboxEntry]) -> None:
    """Rows, differences and ledger in one transaction."""
    now = utc_now()
    wrong = {each.idempotency_key: each.detail for each in result.differences}
    for row in rows:
        detail = wrong.get(row.idempotency_key)
        state = "RECONCILED" if detail is None else "CONFLICT"
        if row.state == state:
            continue
        values: dict[str, Any] = {"last_error": detail}
        if detail is None:
            # Nothing happened to the message: its day, by which it is measured, stays the one it was posted on.
            values["updated_at"] = row.updated_at
        # One that a person or a push moved meanwhile is compared by the next reconciliation.
        with suppress(LostToAnother):
            outbox.move(db, row, state, now, values, RECONCILIATION)
            result.reconciled += detail is None
    differences.record(db, result.destination, result.differences, now)
    told = {
        "since": result.since,
        "released": sum(line.released for line in result.lines.values()),
        "acknowledged": sum(line.acknowledged for line in result.lines.values()),
        "in_erp": sum(line.in_erp for line in result.lines.values()),
        "differences": len(result.differences),
    }
    ledger.append(db, "reconciliation", RECONCILIATION, result.destination, told)
