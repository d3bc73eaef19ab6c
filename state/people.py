"""Whether two names are one person's: what the database compares too, where it takes two."""

from __future__ import annotations


def is_same(one: str, other: str) -> bool:
    """Blanks around a name and capitals make nobody else of it."""
    return one.strip().casefold() == other.strip().casefold()
