"""What drivers brought back: proofs on time, late, void, replaced, in conflict, without quantities, or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tests.support.random_worlds.transport import Movement
from tests.support.random_worlds.world import RandomWorld, Row, by_now


@dataclass
class Told:
    """The proof that stands, for whoever judges and bills: when it came, and the accepted quantity per line."""

    pod_id: str
    received_at: datetime
    outcome: str
    accepted: list[tuple[Row, Decimal]]


def plant_proof(world: RandomWorld, move: Movement) -> Told | None:
    """The proof of a movement that reached the receiver; None where nobody heard of one, or none stands."""
    if move.handed_over_at is None or move.outcome is None or world.chance(0.07):
        return None
    story = world.weighted(plain=66, void=6, void_then_new=7, replaced=10, conflict=6, silent=8)
    captured = move.handed_over_at + timedelta(minutes=world.pick(0, 0, 5, 40, -3))
    first = _proof(world, move, 1, captured, silent=story == "silent", void=story.startswith("void"))
    if story in {"plain", "silent"} or first is None:
        return first
    if story == "void":
        return None
    later = captured + timedelta(minutes=30)
    replaces = first.pod_id if story == "replaced" else None
    return _proof(world, move, 2, later, supersedes=replaces, less=story == "conflict") or first


def _proof(
    world: RandomWorld, move: Movement, number: int, captured: datetime, *, silent: bool = False,
    void: bool = False, supersedes: str | None = None, less: bool = False,
) -> Told | None:  # fmt: skip
    received = by_now(captured + (world.hours(4, 40) if world.chance(0.2) else world.hours(0, 0.2)))
    if received is None or move.outcome is None:
        return None
    pod_id = f"{move.shipment_id}-POD{number}"
    quantities = not silent and move.outcome != "failed"
    world.add("pod", "proofs", pod_id=pod_id, consignment_id=move.shipment_id, outcome=move.outcome,
              captured_at=captured, received_at=received, order_id=move.order["order_id"],
              voided_at=received + timedelta(minutes=1) if void else None, supersedes_id=supersedes,
              has_line_quantities=quantities, time_quality=world.quality(), has_damage=world.chance(0.05))  # fmt: skip
    _seal(world, pod_id, received)
    accepted = []
    for each, (line, loaded) in enumerate(move.loads, start=1):
        short = less or (move.outcome == "partiallySucceeded" and each == 1)
        quantity = loaded - 1 if short and loaded > 1 else loaded
        accepted.append((line, quantity))
        if quantities:
            world.add("pod", "delivered_lines", pod_line_id=f"{pod_id}-{each}", pod_id=pod_id, quantity=quantity,
                      order_line_id=line["order_line_id"], item_id=line["item_id"], uom=line["uom"])  # fmt: skip
    return Told(pod_id, received, move.outcome, accepted)


def _seal(world: RandomWorld, pod_id: str, received: datetime) -> None:
    """Signature and photo, mostly under seal; some links had expired, some proofs had none."""
    for kind in ("signature", "photo"):
        status = world.weighted(sealed=80, expired=8, missing=4, none=8)
        if status != "none":
            world.add("pod", "evidence", evidence_id=f"{pod_id}-{kind}", pod_id=pod_id, kind=kind, status=status,
                      sha256="aa" if status == "sealed" else None, fetched_at=received)  # fmt: skip
