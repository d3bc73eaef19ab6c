"""From the model to what is on disk: the world, the folder of files, the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sandbox.world.dialects import drop, epcis, frappe, otm5, otm5_fleet, proofs, samsara
from sandbox.world.faults import planting, strays
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.generate import generate
from sandbox.world.model import World
from sandbox.world.moments import GO_LIVE, NOW, iso
from sandbox.world.store import Documents
from sandbox.world.truth import invoices_of, shown_of, truth_of
from sandbox.world.truth_kpis import DIMENSIONS, facts
from sandbox.world.truth_numbers import GRAINS, Row, rows

POINTS_PER_ORDER = 100


@dataclass(frozen=True)
class Made:
    """A world as it is told: documents, files, and what must become of what is planted beside it."""

    world: World
    documents: Documents
    left: drop.Drop
    outcomes: Outcomes


def make(seed: int, orders: int) -> Made:
    """Equal arguments make equal worlds; nothing is on disk yet."""
    world, documents = generate(seed, orders), Documents()
    frappe.write(world, documents)
    otm5.write(world, documents)
    otm5_fleet.write(world, documents)
    epcis.write(world, documents)
    proofs.write(world, documents)
    planting.patch(world.cases, documents)
    samsara.write(world, documents, POINTS_PER_ORDER * orders)
    outcomes = strays.plant(world, documents)
    return Made(world, documents, drop.drop_of(world), outcomes)


def write(path: Path, seed: int, orders: int) -> None:
    """Truth first: a world file says that all is complete."""
    made = make(seed, orders)
    truth = {"seed": seed, "orders": orders, "now": iso(NOW), "go_live_at": iso(GO_LIVE)}
    truth |= truth_of(made.world, made.documents, made.left, made.outcomes, POINTS_PER_ORDER * orders)
    (path.parent / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    lay_out(made, path, seed, orders)


def lay_out(made: Made, path: Path, seed: int, orders: int) -> None:
    """What servers and readers of files need of a world."""
    drop.write(made.left, path.parent / "drop")
    made.documents.write(
        path, {"seed": str(seed), "orders": str(orders), "now": iso(NOW), "go_live": iso(GO_LIVE)}
    )


def numbers(seed: int, orders: int) -> list[Row]:
    """Every metric of this world by every period and dimension: too many rows for the truth file."""
    return numbers_of(make(seed, orders), orders)


def numbers_of(made: Made, orders: int) -> list[Row]:
    """The same of a world that is made already; ``orders`` is its size."""
    shown = shown_of(made.documents)
    every = facts(made.world, shown, invoices_of(made.world, shown), POINTS_PER_ORDER * orders)
    return rows(every, GRAINS, DIMENSIONS)
