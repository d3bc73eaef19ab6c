"""The periods and dimensions by which numbers are published: the one place from which tests take them.

What a second computation, or the world's own truth, expects of ``kpi_values`` beyond its numbers belongs here.
"""

from __future__ import annotations

GRAINS = ("day", "week", "month", "all")
TOO_FINE: dict[str, tuple[str, ...]] = {"customer": ("day", "week")}
"""Grains at which a dimension is not published, because its rows would be as many as the facts themselves."""


def is_published(grain: str, dimension: str) -> bool:
    return grain not in TOO_FINE.get(dimension, ())
