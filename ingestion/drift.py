"""Which fields came: a source that begins to send one more is noticed, whether or not anything reads it.

Belongs here: the fields of what a source sent, cheaply. What became agreed when is the state's business.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from ingestion.base import Columns, SourceRecord
from state import source_fields

_LONGEST = 140
Shape = tuple[tuple[Any, ...], ...]


class Fields:
    """Counts the shapes of one connection's rows: rows of one shape differ in values only."""

    def __init__(self) -> None:
        self._shapes: defaultdict[str, Counter[Shape]] = defaultdict(Counter)

    def note(self, resource: str, records: Sequence[SourceRecord], columns: Sequence[Columns]) -> None:
        """Remember what stands in rows as they came; bytes that nobody could read have no fields."""
        shapes = self._shapes[resource]
        shapes.update(_shape(each.raw) for each in records if isinstance(each.raw, Mapping))
        for one in columns:
            shapes.update(map(_shape, one.raws))

    def keep(self, engine: Engine, connection: str, kind: str, run_id: str) -> None:
        """Record them in the state."""
        seen: dict[str, Counter[str]] = {}
        for resource, shapes in self._shapes.items():
            fields = seen[resource] = Counter[str]()
            for shape, rows in shapes.items():
                fields.update(dict.fromkeys(_names(shape), rows))
        source_fields.record(
            engine, connection, kind, run_id, {name: each for name, each in seen.items() if each}
        )


def _shape(row: Mapping[str, Any]) -> Shape:
    """The names in a row and in the objects directly in it."""
    inner = [(name, *value) for name, value in row.items() if isinstance(value, dict)]
    return (tuple(row), *inner)


def _names(shape: Shape) -> list[str]:
    """``field``, and ``object.field`` for the objects in the row."""
    outer, *inner = shape
    names = [str(each) for each in outer]
    names += [f"{name}.{each}" for name, *own in inner for each in own]
    return [each.encode("utf-8", "backslashreplace").decode()[:_LONGEST] for each in dict.fromkeys(names)]
