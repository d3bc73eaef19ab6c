"""The sandbox's world: what really happens, written down in five systems' dialects, and the truth about it.

Belongs here: the model, its generators, planted faults, the truth file. Does not belong here: HTTP.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["OtherWorldError", "build"]


class OtherWorldError(RuntimeError):
    """The folder holds a world of another seed or size."""


def build(home: Path, seed: int, orders: int) -> None:
    """Write ``home/sandbox/world.sqlite`` and ``truth.json``; nothing to do when they are there.

    Raises OtherWorldError when the folder holds another world: documents may have been posted into it.
    """
    path = home / "sandbox" / "world.sqlite"
    if path.exists():
        found = _meta(path)
        if (found.get("seed"), found.get("orders")) == (str(seed), str(orders)):
            return
        raise OtherWorldError(
            f"{path.parent} holds a world of seed {found.get('seed')} and {found.get('orders')} orders, not of "
            f"seed {seed} and {orders} orders. Remedy: use those numbers, or another home."
        )
    from sandbox.world.writing import write

    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, seed, orders)


def _meta(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    try:
        return dict(connection.execute("SELECT key, value FROM meta"))
    finally:
        connection.close()
