"""What a fault kind is, and the list of all kinds. A kind changes the model, the documents, or both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.world.model import Case
from sandbox.world.store import Documents

Prepare = Callable[[Case], None]
Patch = Callable[[Case, Documents], None]


@dataclass(frozen=True)
class Kind:
    """One fault. ``prepare`` runs before the lorry leaves, ``after`` once it is back, ``patch`` on documents."""

    name: str
    system: str
    codes: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    prepare: Prepare | None = None
    after: Prepare | None = None
    patch: Patch | None = None
    letter: tuple[str, str, str] | None = None
    """Connection, resource and reason of the dead letter that is due."""
    letter_count: int = 1
    """How many rows are refused for it."""
    depot: str = "HAM"
    """From where its order is delivered."""
    is_lost: bool = False
    """The shipment itself is refused."""


KINDS: list[Kind] = []


def kind(**given: Any) -> Kind:
    """Define a kind and register it."""
    made = Kind(**given)
    KINDS.append(made)
    return made
