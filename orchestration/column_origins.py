"""The way of a column in words: what it is made of, and the source's own columns at the end.

Belongs here: following traced lineage and writing it into a column's description, because Dagster's open-source UI
shows descriptions of columns and draws no lineage of them. Tracing is ``column_metadata``'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestration.column_metadata import Behind, Lineage

_MOST = 16
"""Columns that are named; of more one hears how many."""


def by_relation(*lineages: Lineage) -> dict[str, Behind]:
    """Relation → what stands behind its columns. A model's name is that of its relation."""
    return {
        unique_id.split(".")[2]: traced["columns"] for each in lineages for unique_id, traced in each.items()
    }


def origins(columns: Iterable[Sequence[str]], known: Mapping[str, Behind]) -> list[tuple[str, ...]]:
    """The columns at the end of every way back: those of raw tables and seeds, in their order."""
    seen: set[tuple[str, ...]] = set()
    ends: set[tuple[str, ...]] = set()
    waiting = [tuple(each) for each in columns]
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        _, relation, name = column
        if relation in known:
            waiting += [tuple(each) for each in known[relation].get(name, ())]
        else:
            ends.add(column)
    return sorted(ends)


def described(
    description: str | None, behind: Iterable[Sequence[str]], ends: Iterable[Sequence[str]] = ()
) -> str | None:
    """A column's description, then ``←`` what it is made of, then ``⇐`` the sources' columns at the end."""
    parts = [description or "", _named("←", behind), _named("⇐", ends)]
    return "\n".join(part for part in parts if part) or None


def _named(arrow: str, columns: Iterable[Sequence[str]]) -> str:
    names = [".".join(each) for each in columns]
    if not names:
        return ""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{arrow} {', '.join(names[:_MOST])}{more}"
