"""From the model to what is on disk: the world, the folder of files, the truth."""

from __future__ import annotations

import json
from pathlib import Path

from sandbox.world.dialects import drop, epcis, frappe, otm5, otm5_fleet, proofs, samsara
from sandbox.world.faults import planting, strays
from sandbox.world.generate import generate
from sandbox.world.moments import GO_LIVE, NOW, iso
from sandbox.world.store import Documents
from sandbox.world.truth import truth_of

POINTS_PER_ORDER = 100


def write(path: Path, seed: int, orders: int) -> None:
    """Truth first: a world file says that both are complete."""
    world, documents = generate(seed, orders), Documents()
    frappe.write(world, documents)
    otm5.write(world, documents)
    otm5_fleet.write(world, documents)
    epcis.write(world, documents)
    proofs.write(world, documents)
    planting.patch(world.cases, documents)
    samsara.write(world, documents, POINTS_PER_ORDER * orders)
    outcomes = strays.plant(world, documents)
    left = drop.drop_of(world)
    drop.write(left, path.parent / "drop")
    truth = {"seed": seed, "orders": orders, "now": iso(NOW), "go_live_at": iso(GO_LIVE)}
    truth |= truth_of(world, documents, left, outcomes)
    (path.parent / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    documents.write(
        path, {"seed": str(seed), "orders": str(orders), "now": iso(NOW), "go_live": iso(GO_LIVE)}
    )
