"""What is true about the world, computed from the model alone."""

from __future__ import annotations

from typing import Any

from sandbox.world.model import World
from sandbox.world.store import Documents


def truth_of(world: World, documents: Documents) -> dict[str, Any]:
    """The parts of truth.json that depend on the world."""
    return {}
