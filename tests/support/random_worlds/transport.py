"""How an order is brought: in one shipment, in several, again after a failed attempt, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.random_worlds.masters import BOX, CARRIERS
from tests.support.random_worlds.world import RandomWorld, Row, by_now, version

Load = tuple[Row, Decimal]


@dataclass
class Movement:
    """One shipment and what became of it: what the driver can tell and the invoice may say."""

    shipment_id: str
    order: Row
    loads: list[Load]
    zone: str
    departed_at: datetime | None = None
    handed_over_at: datetime | None = None
    outcome: str | None = None


def plant_movements(world: RandomWorld, order: Row, lines: list[Row]) -> list[Movement]:
    shapes = {"none": 7, "one": 60, "split": 18, "again": 14}
    if order["status"] in {"draft", "cancelled"}:
        shapes = {"none": 3, "one": 6, "split": 1}
    shape = world.weighted(**shapes)
    if shape == "none":
        return []
    if shape == "split":
        return [_move(world, order, part, relation="split") for part in _split(world, lines)]
    first = _move(world, order, _whole(world, lines), fails=shape == "again")
    if shape == "again" and first.handed_over_at:
        again = _move(world, order, first.loads, parent=first, relation="redelivery")
        return [first, again]
    return [first]


def _whole(world: RandomWorld, lines: list[Row]) -> list[Load]:
    """All that was ordered, now and then a piece less."""
    less = Decimal(1) if world.chance(0.1) else Decimal(0)
    return [(line, line["quantity"] - less) for line in lines]


def _split(world: RandomWorld, lines: list[Row]) -> list[list[Load]]:
    """Two parts: of every line some and the rest, or every line whole in one of them."""
    if len(lines) > 1 and world.chance(0.5):
        return [_whole(world, lines[:1]), [(line, line["quantity"]) for line in lines[1:]]]
    halves = [(line, Decimal(int(line["quantity"] // 2))) for line in lines]
    return [halves, [(line, line["quantity"] - half) for line, half in halves]]


def _move(
    world: RandomWorld, order: Row, loads: list[Load], *, parent: Movement | None = None,
    relation: str | None = None, fails: bool = False,
) -> Movement:  # fmt: skip
    number = len({row["consignment_id"] for row in world.rows["dispatch", "consignments"]}) + 1
    place = world.pick(*world.places)
    move = Movement(f"{world.name}-S{number}", order, loads, place["time_zone"])
    start = (order["confirmed_at"] or order["ordered_at"]) + world.hours(-2, 40)
    if parent and parent.handed_over_at:
        start = parent.handed_over_at + world.hours(1, 20)
    leaves = world.chance(0.93)
    cancelled = _cancelled_at(world, order, start)
    if leaves and not (cancelled and cancelled < start and world.chance(0.6)):
        _drive(world, move, start, fails=fails)
    _consign(
        world, move, place, cancelled, {"parent_id": parent and parent.shipment_id, "relation": relation}
    )
    return move


def _cancelled_at(world: RandomWorld, order: Row, start: datetime) -> datetime | None:
    """When the shipment was cancelled in dispatch, before or after it left; mostly never."""
    if order["status"] == "cancelled" and world.chance(0.7):
        found: datetime | None = order["cancelled_at"]
        return found
    return by_now(start + world.hours(-10, 5)) if world.chance(0.06) else None


def _consign(world: RandomWorld, move: Movement, place: Row, cancelled: datetime | None, family: Row) -> None:
    state = "completed" if move.handed_over_at else "inTransit" if move.departed_at else "confirmed"
    latest = 2 if world.chance(0.1) else 1
    row: Row = {
        "consignment_id": move.shipment_id, "order_id": move.order["order_id"],
        "status": "cancelled" if cancelled else state, "cancelled_at": cancelled,
        "depot_id": move.order["depot_id"], "delivery_location_id": place["location_id"],
        "time_zone": place["time_zone"], "carrier_id": world.pick(*CARRIERS, None),
        "source_version": version(latest), **family,
    }  # fmt: skip
    world.add("dispatch", "consignments", **row)
    if latest == 2:
        world.add("dispatch", "consignments", **(row | {"source_version": version(1), "status": "draft",
                  "cancelled_at": None}))  # fmt: skip
    for number, (line, quantity) in enumerate(move.loads, start=1):
        _load_line(world, f"{move.shipment_id}-{number}", move, line, quantity, version(latest))
    if latest == 2:
        _load_line(world, f"{move.shipment_id}-gone", move, move.loads[0][0], Decimal(99), version(1))
    _allocate(world, move)


def _load_line(
    world: RandomWorld, key: str, move: Movement, line: Row, quantity: Decimal, at_version: datetime
) -> None:
    """Items that come in boxes are counted in pieces by dispatch."""
    pieces = BOX if line["uom"] == "BOX" else Decimal(1)
    world.add("dispatch", "consignment_lines", consignment_line_id=key, consignment_id=move.shipment_id,
              order_line_id=line["order_line_id"], item_id=line["item_id"], quantity=quantity * pieces, uom="EA",
              source_version=at_version)  # fmt: skip


def _allocate(world: RandomWorld, move: Movement) -> None:
    """The ERP's note that the goods are there; a draft and a cancelled one say nothing."""
    start = move.order["confirmed_at"] or move.order["ordered_at"]
    for number, status in enumerate(("submitted", "draft", "cancelled"), start=1):
        allocated = by_now(start + world.hours(0, 30))
        if allocated and world.chance(0.88 if status == "submitted" else 0.1):
            world.add("erp", "delivery_notes", delivery_note_id=f"{move.shipment_id}-N{number}",
                      order_id=move.order["order_id"], shipment_id=move.shipment_id, status=status,
                      allocated_at=allocated)  # fmt: skip


def _drive(world: RandomWorld, move: Movement, start: datetime, *, fails: bool) -> None:
    """Load (perhaps not at the first try, perhaps twice), drive, hand over. Plans say nothing of what happened."""
    if world.chance(0.06):
        _act(world, move, "load", "failed", start - timedelta(hours=1))
    move.departed_at = by_now(start)
    _act(world, move, "load", "succeeded", start)
    if world.chance(0.08):
        _act(world, move, "load", "succeeded", start + timedelta(minutes=50))
    _plan(world, move, start - timedelta(days=1))
    arrived = start + world.hours(0.5, 40)
    move.outcome = "failed" if fails else world.weighted(succeeded=80, partiallySucceeded=13, failed=7)
    move.handed_over_at = by_now(arrived)
    if move.handed_over_at is None or world.chance(0.04):
        return  # on the road, or a driver who tells it in the proof alone
    _act(world, move, "handOver", move.outcome, arrived)
    if move.outcome == "failed" and not fails and world.chance(0.4) and by_now(arrived + timedelta(hours=3)):
        move.outcome, move.handed_over_at = "succeeded", arrived + timedelta(hours=3)
        _act(world, move, "handOver", "succeeded", move.handed_over_at)  # at the second ring of the bell


def _act(world: RandomWorld, move: Movement, kind: str, result: str, end_at: datetime) -> None:
    if by_now(end_at):
        number = len(world.rows["dispatch", "actions"]) + 1
        world.add("dispatch", "actions", action_id=f"{world.name}-A{number}", action_type=kind, lifecycle="realized",
                  result_status=result, consignment_id=move.shipment_id,
                  result_reason="Damaged on the way" if world.chance(0.02) else None, start_at=end_at - timedelta(minutes=10),
                  end_at=end_at, time_quality=world.quality())  # fmt: skip


def _plan(world: RandomWorld, move: Movement, end_at: datetime) -> None:
    number = len(world.rows["dispatch", "actions"]) + 1
    world.add("dispatch", "actions", action_id=f"{world.name}-A{number}", action_type="load", lifecycle="planned",
              consignment_id=move.shipment_id, planned_end_at=end_at, end_at=end_at)  # fmt: skip
