"""All planted rows that are no case's own, system by system."""

from __future__ import annotations

from sandbox.world.faults import refused_dispatch, refused_erp, refused_proofs, telematics, waiting
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.model import World
from sandbox.world.store import Documents


def plant(world: World, documents: Documents) -> Outcomes:
    """Writes them over a finished world, in which they change nothing; returns what must become of them."""
    outcomes = Outcomes()
    for each in (refused_erp, refused_dispatch, refused_proofs, waiting, telematics):
        each.plant(world, documents, outcomes)
    return outcomes
