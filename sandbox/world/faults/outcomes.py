"""What must become of planted rows that are no case's own: refused, waiting, seen before, or kept with a flag."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Rows = list[dict[str, Any]]


@dataclass
class Outcomes:
    """One entry a row; ``fault`` says what is wrong with it. ``resource`` is ``connection.resource``."""

    dead_letters: Rows = field(default_factory=list)
    parked: Rows = field(default_factory=list)
    duplicates: Rows = field(default_factory=list)
    flagged: Rows = field(default_factory=list)
    history: Rows = field(default_factory=list)

    def refused(self, resource: str, source_id: str | None, reason: str, fault: str) -> None:
        self.dead_letters.append(_row(resource, source_id, fault) | {"reason": reason})

    def waits(self, resource: str, source_id: str, fault: str) -> None:
        self.parked.append(_row(resource, source_id, fault) | {"reason": "UNKNOWN_PARENT"})

    def repeated(self, resource: str, source_id: str, fault: str) -> None:
        self.duplicates.append(_row(resource, source_id, fault))

    def kept(self, resource: str, source_id: str | None, column: str, value: object, fault: str) -> None:
        """Accepted, with ``value`` in ``column`` to tell it by."""
        self.flagged.append(_row(resource, source_id, fault) | {"column": column, "value": str(value)})

    def older(self, resource: str, source_id: str, fault: str) -> None:
        """Accepted as one more version that is not the current one."""
        self.history.append(_row(resource, source_id, fault))


def _row(resource: str, source_id: str | None, fault: str) -> dict[str, Any]:
    connection, _, name = resource.partition(".")
    return {"connection": connection, "resource": name, "source_id": source_id, "fault": fault}
