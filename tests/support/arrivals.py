"""Random worlds as messages, and the ways in which messages arrive, for properties of the dbt models.

Belongs here: Hypothesis strategies for one order and all that systems say of it in several versions, and the filling
of a warehouse with them. No expectation stands here. Ids hold ``@``, which the number of the world replaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.support.deliveries import DEPARTED, World, moved, order_line
from tests.support.warehouse import LOAD_ID, VERSION, append, create_raw_tables, insert_rows

Row = dict[str, Any]
LATER_LOAD_ID = "1700000100.0"
HALF_LOAD_ID = "1700000200.0"
"""A load that died: it is in no ``_dlt_loads``."""

_VERSIONS = [VERSION + timedelta(hours=step) for step in range(6)]
_INSTANTS = [DEPARTED + timedelta(minutes=30 * step) for step in range(5)]
_INSTANT = st.sampled_from(_INSTANTS)
_QUANTITY = st.sampled_from(["0", "4", "10", "12"])
_LINES = st.lists(st.sampled_from(["1", "2"]), min_size=1, max_size=2, unique=True)


@dataclass(frozen=True)
class Message:
    """One version of one row, as its source sent it."""

    kind: str
    resource: str
    fields: Row

    def of_world(self, number: int) -> Row:
        """Its fields in the world of this number."""
        return {
            name: value.replace("@", str(number)) if isinstance(value, str) else value
            for name, value in self.fields.items()
        }


def _versions(draw: st.DrawFn, most: int = 3) -> list[datetime]:
    return draw(st.lists(st.sampled_from(_VERSIONS), min_size=1, max_size=most, unique=True))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Message, ...]:
    """All that is ever said of one order: each source row in one to three versions, none contradicting itself."""
    world = World()
    world.rows.clear()
    for part in (_orders, _shipments, _actions, _proofs, _events, _exceptions, _invoices, _predictions):
        part(draw, world)
    return tuple(
        Message(kind, resource, fields) for (kind, resource), rows in world.rows.items() for fields in rows
    )


def _orders(draw: st.DrawFn, world: World) -> None:
    """Statuses in any sequence: one that goes back is the last word all the same. A deletion is a last version
    that is cancelled."""
    for version in _versions(draw):
        status = draw(st.sampled_from(["draft", "confirmed", "closed", "cancelled"]))
        lines = [order_line(f"O@-{line}", draw(_QUANTITY)) for line in draw(_LINES)]
        cancelled_at = draw(_INSTANT) if status == "cancelled" else None
        world.order("O@", *lines, status=status, confirmed_at=draw(st.none() | _INSTANT),
                    cancelled_at=cancelled_at, last_promised_at=draw(st.none() | _INSTANT),
                    source_version=version)  # fmt: skip


def _shipments(draw: st.DrawFn, world: World) -> None:
    for version in _versions(draw):
        status = draw(st.sampled_from(["accepted", "inTransit", "completed", "cancelled"]))
        world.add("dispatch", "consignments", consignment_id="S@", order_id="O@", status=status,
                  time_zone="Europe/Berlin", delivery_location_id="PLACE", source_version=version)  # fmt: skip
        for line in draw(_LINES):
            world.add("dispatch", "consignment_lines", consignment_line_id=f"S@-{line}", consignment_id="S@",
                      source_version=version, **moved(f"O@-{line}", draw(_QUANTITY)))  # fmt: skip


def _actions(draw: st.DrawFn, world: World) -> None:
    """Two of each kind at most, so that two may end at one instant; a later version may take back what was done."""
    kinds = draw(st.lists(st.sampled_from(["stop", "load", "unload", "handOver"]), max_size=4))
    for number, kind in enumerate(kinds):
        for version in _versions(draw, 2):
            world.action(f"A@-{number}", "S@", kind, draw(st.sampled_from(["succeeded", "failed"])),
                         draw(_INSTANT), stop_id=draw(st.sampled_from([None, "ST@"])),
                         lifecycle=draw(st.sampled_from(["planned", "realized"])), source_version=version)  # fmt: skip


def _proofs(draw: st.DrawFn, world: World) -> None:
    """Proofs of one instant, proofs that are voided and revived, and proofs that replace another or each other."""
    for number in range(draw(st.sampled_from([0, 1, 2, 3, 3]))):
        for version in _versions(draw, 2):
            lines = [moved(f"O@-{line}", draw(_QUANTITY)) for line in draw(_LINES)]
            captured_at = draw(st.sampled_from(_INSTANTS[:2]))
            others = [None, None, None, *(f"P@-{other}" for other in range(3) if other != number)]
            world.proof(f"P@-{number}", "S@", *lines, order_id="O@", captured_at=captured_at,
                        received_at=captured_at + timedelta(minutes=5),
                        outcome=draw(st.sampled_from(["succeeded", "failed", "partiallySucceeded"])),
                        voided_at=draw(st.sampled_from([None, None, _INSTANTS[-1]])), supersedes_id=draw(st.sampled_from(others)),
                        has_line_quantities=draw(st.booleans()), source_version=version)  # fmt: skip


def _events(draw: st.DrawFn, world: World) -> None:
    """EPCIS events, some declared wrong in an older or newer version, and corrected by each other."""
    ids = [f"E@-{number}" for number in range(draw(st.integers(0, 4)))]
    for event_id in ids:
        for version in _versions(draw, 2):
            wrong = draw(st.booleans())
            corrections = draw(st.lists(st.sampled_from(ids), max_size=2)) if wrong else []
            world.add("wms", "delivery_events", event_id=event_id, consignment_id="S@", occurred_at=draw(_INSTANT),
                      status_code=draw(st.sampled_from(["21", "31"])),
                      error_declared_at=draw(_INSTANT) if wrong else None,
                      corrective_event_ids=" ".join(corrections) or None, source_version=version)  # fmt: skip


def _exceptions(draw: st.DrawFn, world: World) -> None:
    for number in range(draw(st.integers(0, 5))):
        change = draw(st.sampled_from(["opened", "paused", "resumed", "resolved", "reopened"]))
        for version in _versions(draw, 2):
            world.add("crm", "exception_events", event_id=f"X@-{number}", change=change,
                      exception_id=draw(st.sampled_from(["C@-1", "C@-2"])), occurred_at=draw(_INSTANT),
                      code="LATE", severity=draw(st.sampled_from(["low", "critical"])), cause_class="technical",
                      consignment_id="S@", is_customer_pause=draw(st.booleans()), source_version=version)  # fmt: skip


def _invoices(draw: st.DrawFn, world: World) -> None:
    """An invoice and its credit note; a later version may take the posting back."""
    for invoice_id, credited in (("I@", None), ("N@", "I@"))[: draw(st.integers(0, 2))]:
        for version in _versions(draw, 2):
            world.invoice(invoice_id, order_id="O@", shipment_id="S@", is_credit_note=credited is not None,
                          credited_invoice_id=credited, posted_at=draw(_INSTANT),
                          status=draw(st.sampled_from(["draft", "posted", "cancelled"])),
                          source_version=version)  # fmt: skip
            world.add("erp", "invoice_lines", invoice_line_id=f"{invoice_id}-1", invoice_id=invoice_id,
                      unit_price_amount=Decimal(10), net_amount=Decimal(100), source_version=version,
                      **moved("O@-1", draw(_QUANTITY)))  # fmt: skip


def _predictions(draw: st.DrawFn, world: World) -> None:
    for number in range(draw(st.integers(0, 2))):
        world.add("tms", "eta_predictions", eta_id=f"T@-{number}", stop_id="ST@", consignment_id="S@",
                  issuer="planner", issued_at=draw(_INSTANT), eta_at=draw(_INSTANT),
                  source_version=draw(st.sampled_from(_VERSIONS)))  # fmt: skip


def in_order(path: Path, every: Sequence[tuple[Message, ...]]) -> None:
    """Every message once, oldest version first, in one load."""
    rows = [(each, number) for number, world in enumerate(every) for each in world]
    rows.sort(key=lambda row: row[0].fields.get("source_version", VERSION))
    _masters(path)
    _insert(path, rows, LOAD_ID, VERSION)


def first_half(path: Path, every: Sequence[tuple[Message, ...]], chance: Random) -> list[tuple[Message, int]]:
    """Half of the messages in any order, and what a dead load left of others; what is still to come."""
    rows = [(each, number) for number, world in enumerate(every) for each in world]
    chance.shuffle(rows)
    middle = len(rows) // 2
    _masters(path)
    _insert(path, rows[:middle], LOAD_ID, VERSION + timedelta(days=1))
    _insert(path, rows[middle::5], HALF_LOAD_ID, VERSION + timedelta(days=2))
    return rows[middle:]


def second_half(path: Path, late: Sequence[tuple[Message, int]], chance: Random) -> None:
    """The rest, late, some of it twice."""
    rows = [*late, *(row for row in late if chance.random() < 0.2)]
    chance.shuffle(rows)
    for dataset in sorted({f"raw_{each.kind}" for each, _ in rows}):
        append(path, dataset, "_dlt_loads", [{"load_id": LATER_LOAD_ID, "status": 0}])
    _insert(path, rows, LATER_LOAD_ID, VERSION + timedelta(days=3))


def _masters(path: Path) -> None:
    create_raw_tables(path)
    World().write(path)


def _insert(path: Path, rows: Sequence[tuple[Message, int]], load_id: str, ingested_at: datetime) -> None:
    arrival = {"_dlt_load_id": load_id, "ingested_at": ingested_at, "run_id": f"run_{load_id}"}
    by_table: dict[tuple[str, str], list[Row]] = {}
    for each, number in rows:
        by_table.setdefault((each.kind, each.resource), []).append(each.of_world(number) | arrival)
    for (kind, resource), found in by_table.items():
        insert_rows(path, kind, resource, found)
