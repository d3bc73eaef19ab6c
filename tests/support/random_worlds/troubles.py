"""What goes wrong on the way and who writes it down: exceptions that pause, return, are noticed late or told twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.random_worlds.transport import Movement
from tests.support.random_worlds.world import RandomWorld, Row, by_now

Change = tuple[str, datetime]
_CODES = ("DAMAGED", "WRONG_ADDRESS", "TRAFFIC")


def plant_troubles(world: RandomWorld, move: Movement) -> None:
    """None for most shipments, a case or two for some."""
    for number in range(world.pick(0, 0, 0, 1, 1, 2)):
        start = (move.departed_at or move.order["ordered_at"]) + world.hours(-1, 30)
        code = world.pick(*_CODES)
        changes = _changes(world, start)
        _record(world, move, f"{move.shipment_id}-X{number}", code, changes)
        if world.chance(0.25):
            inside = start + (changes[1][1] - start) / 2 if len(changes) > 1 else start + timedelta(minutes=5)
            twice = [("opened", inside), ("resolved", inside + world.hours(0.1, 30))]
            _record(world, move, f"{move.shipment_id}-Y{number}", code, twice)


def _changes(world: RandomWorld, start: datetime) -> list[Change]:
    """A case from its opening on: straight to its end, waiting in between, or opened again."""
    stories = {
        "plain": ["resolved"],
        "waits": ["paused", "resumed", "resolved"],
        "ends_waiting": ["paused", "resolved"],
        "again": ["resolved", "reopened", "resolved"],
        "open": [],
    }
    changes = [("opened", start)]
    for change in stories[world.weighted(plain=40, waits=25, ends_waiting=8, again=17, open=10)]:
        changes.append((change, changes[-1][1] + world.hours(0.2, 20)))
    return changes


def _record(world: RandomWorld, move: Movement, exception_id: str, code: str, changes: list[Change]) -> None:
    """The events of one record at its source, in any order; what is still to come is not there yet."""
    cause = world.pick("technical", "business", "data")
    events: list[Row] = []
    for number, (change, occurred) in enumerate(changes):
        if by_now(occurred):
            noticed = occurred + timedelta(minutes=world.pick(0, 5, 90, 700, -2))
            events.append({
                "event_id": f"{exception_id}-{number}", "exception_id": exception_id, "change": change,
                "occurred_at": occurred, "detected_at": by_now(noticed) if world.chance(0.9) else None,
                "code": code, "severity": world.pick("low", "medium", "high", "critical"), "cause_class": cause,
                "consignment_id": move.shipment_id, "is_customer_pause": change == "paused" and world.chance(0.6),
            })  # fmt: skip
    world.dice.shuffle(events)
    for event in events:
        world.add("crm", "exception_events", **event)
