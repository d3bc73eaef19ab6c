"""The life of a dead letter: which status may follow which. The database refuses the same moves by a trigger.

    parked ──► open ──► replaying ──► replayed
                │  └──► discarded
                └─────► resolved: its row was loaded without anybody's doing, or has another letter in place of this

From ``parked`` leads every way that leads from ``open``. ``replaying`` is the intent, on disk before the row is
landed: a process that dies in between leaves it, and the next replay finishes it.
"""

from __future__ import annotations

from typing import Literal

Status = Literal["open", "parked", "replaying", "resolved", "replayed", "discarded"]

STANDING = ("open", "parked", "replaying")
"""What is not done: the row is not in the warehouse, and nobody has said that it need not be."""
DECIDED = ("replaying", "replayed", "discarded")
"""What only a person brings about: by whom and why stands beside it."""
MOVES: dict[str, frozenset[str]] = {
    "open": frozenset({"replaying", "resolved", "discarded"}),
    "parked": frozenset({"open", "replaying", "resolved", "discarded"}),
    "replaying": frozenset({"open", "resolved", "replayed"}),
    "resolved": frozenset(),
    "replayed": frozenset(),
    "discarded": frozenset(),
}
STATUSES = tuple(MOVES)
