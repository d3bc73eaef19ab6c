"""Sorting a page: which rows are loaded, refused, seen before, or wait for their parent.

Belongs here: the four fates of an incoming row and their counts. How a row is checked is ``border``, where
it goes is ``landing`` and the state store.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from contracts.resources import Resource
from core.ids import new_id, sha256_hex
from ingestion.base import Columns, Rejection, SourceRecord
from ingestion.border import Accepted, Border
from ingestion.bulk import ColumnBorder, Plain, source_ids, split
from ingestion.known import Version
from ingestion.strict_json import LARGEST_ROW, as_came, kept
from state.dead_letters import DeadLetter
from state.letter_states import Status

# The instant from which the waiting time of a parked row counts, by what the row has.
_AGE_FIELDS = ("received_at", "ordered_at", "captured_at", "positioned_at")
KnownHashes = Callable[[Sequence[Version]], dict[Version, str]]
KnownParents = Callable[[Collection[str]], set[str] | None]
"""Those of the ids that a child may name; None when nobody can know them."""


@dataclass(frozen=True)
class Visit:
    """What all rows of one reading share."""

    connection: str
    run_id: str
    as_of: datetime
    trace_id: str = field(default_factory=lambda: new_id("trace"))


@dataclass
class Sorted:
    """The fates of one batch of rows."""

    accepted: list[Accepted] = field(default_factory=list)
    plain: list[Plain] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    repeated: list[Accepted] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        """How many rows go into landing."""
        return len(self.accepted) + sum(len(each.source_ids) for each in self.plain)

    @property
    def duplicates(self) -> int:
        """How many rows were there already, or twice on this page."""
        return len(self.repeated)


class Sorter:
    """Sorts the rows of one resource."""

    def __init__(
        self, resource: Resource, visit: Visit, hashes: KnownHashes, parents: KnownParents | None
    ) -> None:
        self._resource = resource
        self._border = Border(resource)
        self._visit = visit
        self._hashes = hashes
        self._parents = parents
        # Accepted on earlier pages and not loaded yet: contradictions and repeats meet across pages too.
        self._accepted: dict[Version, str] = {}

    def sort(self, records: Sequence[SourceRecord], columns: Sequence[Columns] = ()) -> Sorted:
        """Every row meets exactly one fate."""
        result = Sorted()
        odd = [each for one in columns for each in self._take_plain(one, result)]
        outcomes = [(each, self._border.check(each)) for each in [*records, *odd]]
        unknown = self._unknown(self._named(each) for _, each in outcomes if isinstance(each, Accepted))
        checked: list[Accepted] = []
        for record, outcome in outcomes:
            if isinstance(outcome, Rejection):
                result.letters.append(self._letter(record, outcome, "open"))
            elif self._named(outcome) in unknown:
                result.letters.append(self._waiting(outcome))
            else:
                checked.append(outcome)
        self._settle_versions(checked, result)
        return result

    def _take_plain(self, columns: Columns, result: Sorted) -> list[SourceRecord]:
        """Accept at once what is new and keeps the contract; the rest as records, to be judged one by one."""
        every = set(range(columns.table.num_rows))
        if not every or not self._column_border.keeps(columns.table):
            return [columns.record(row) for row in sorted(every)]
        ids = source_ids(columns.table, self._resource.contract.key)
        versions: list[Version] = list(zip(ids, columns.versions, strict=True))
        known, times = self._hashes(versions), Counter(versions)
        odd = {
            row
            for row, version in enumerate(versions)
            if times[version] > 1 or version in known or version in self._accepted
        } | self._orphans(columns)
        plain, records = split(columns, ids, odd)
        self._accepted.update(
            zip(zip(plain.source_ids, plain.versions, strict=True), plain.row_hashes, strict=True)
        )
        result.plain.append(plain)
        return records

    def _orphans(self, columns: Columns) -> set[int]:
        """The rows whose parent is not known."""
        if self._resource.parent is None:
            return set()
        named = columns.table[self._resource.parent.field].to_pylist()
        unknown = self._unknown(named)
        return {row for row, name in enumerate(named) if name in unknown} if unknown else set()

    def _named(self, row: Accepted) -> str | None:
        """The parent of a row."""
        return row.fields[self._resource.parent.field] if self._resource.parent else None

    def _unknown(self, named: Iterable[str | None]) -> set[str | None]:
        """Those of the parents that are not known."""
        if self._parents is None or not (every := set(named)):
            return set()
        known = self._parents({each for each in every if each is not None})
        return set() if known is None else every - known

    @cached_property
    def _column_border(self) -> ColumnBorder:
        return ColumnBorder(self._resource.contract)

    def _settle_versions(self, checked: Sequence[Accepted], result: Sorted) -> None:
        """Equal versions must be equal rows: repeats are duplicates, contradictions are refused, all of them."""
        known = self._hashes([(each.source_id, each.version) for each in checked])
        groups: defaultdict[Version, list[Accepted]] = defaultdict(list)
        for each in checked:
            groups[each.source_id, each.version].append(each)
        for version, group in groups.items():
            stored = known.get(version) or self._accepted.get(version)
            if stored is None and len(group) == 1:
                result.accepted.append(group[0])
                self._accepted[version] = group[0].row_hash
                continue
            hashes = {each.row_hash for each in group}
            if len(hashes) > 1 or (stored is not None and hashes != {stored}):
                detail = f"{len(hashes | {stored} - {None})} different rows of one version"
                refusal = Rejection("VERSION_CONFLICT", detail)
                result.letters.extend(
                    self._letter(each.record, refusal, "open", each.source_id) for each in group
                )
            elif stored is not None:
                result.repeated.extend(group)
            else:
                result.accepted.append(group[0])
                self._accepted[version] = group[0].row_hash
                result.repeated.extend(group[1:])

    def _waiting(self, row: Accepted) -> DeadLetter:
        """The letter of a row whose parent is not known: parked while it is young, refused after that."""
        parent = self._resource.parent
        assert parent is not None
        born = next((row.fields[name] for name in _AGE_FIELDS if row.fields.get(name)), row.version)
        until = born + timedelta(hours=parent.park_hours)
        detail = f"{parent.field} {row.fields[parent.field]!r} is not in raw_{parent.kind}.{parent.resource}"
        status: Status = "parked" if until > self._visit.as_of else "open"
        refusal = Rejection("UNKNOWN_PARENT", detail)
        return self._letter(row.record, refusal, status, row.source_id, until)

    def _letter(
        self,
        record: SourceRecord,
        refusal: Rejection,
        status: Status,
        source_id: str | None = None,
        park_until: datetime | None = None,
    ) -> DeadLetter:
        raw = as_came(record.raw)
        fields = record.fields or {}
        return DeadLetter(
            connection=self._visit.connection,
            kind=self._resource.kind,
            resource=self._resource.name,
            source_id=_text(source_id or self._guess_id(fields)),
            order_ref=_text(record.order_ref or fields.get("order_id")),
            shipment_ref=_text(record.shipment_ref or fields.get("consignment_id")),
            reason=refusal.reason,
            detail=refusal.detail,
            raw=kept(raw),
            raw_sha256=sha256_hex(raw),
            trace_id=record.trace_id or self._visit.trace_id,
            run_id=self._visit.run_id,
            status=status,
            received_at=self._visit.as_of,
            park_until=park_until,
            source_version=record.version,
            fields=_as_mapped(record),
        )

    def _guess_id(self, fields: Any) -> str | None:
        """The row's id as far as it can be read; a refused row may have none."""
        parts = [fields.get(name) for name in self._resource.contract.key]
        return None if any(part is None for part in parts) else "|".join(str(part) for part in parts)


def _as_mapped(record: SourceRecord) -> dict[str, Any] | None:
    """The contract fields of a row that its adapter had nothing against, as far as a store can hold them.

    What the adapter refused is not kept: without its objection a row of half its fields might pass.
    """
    if record.rejection is not None or not record.fields:
        return None
    fields = dict(record.fields)
    try:
        size = len(json.dumps(fields, ensure_ascii=False, default=str).encode())
    except ValueError:  # a lone surrogate, or a number of thousands of digits
        return None
    return fields if size <= LARGEST_ROW else None


def _text(value: object) -> str | None:
    """As text that every store can hold; a lone surrogate and a NUL show as their escapes."""
    if value is None:
        return None
    return str(value).encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


@dataclass(frozen=True)
class Counts:
    """What became of the rows of one resource of one connection in one reading."""

    connection: str
    source: str
    resource: str
    rows_in: int
    loaded: int
    dead_lettered: int
    duplicate: int
    parked: int

    @property
    def adds_up(self) -> bool:
        """Whether every row that came in is accounted for."""
        return self.rows_in == self.loaded + self.dead_lettered + self.duplicate + self.parked


class Tally:
    """Adds up the fates of a reading."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, resource: str, rows_in: int, outcome: Sorted) -> None:
        """Count one batch."""
        self._counts[resource].update(
            rows_in=rows_in,
            loaded=outcome.loaded,
            dead_lettered=sum(each.status == "open" for each in outcome.letters),
            duplicate=outcome.duplicates,
            parked=sum(each.status == "parked" for each in outcome.letters),
        )

    def counts(self, connection: str, source: str, resources: Sequence[str]) -> list[Counts]:
        """One row per resource, also where nothing came in."""
        names = ("rows_in", "loaded", "dead_lettered", "duplicate", "parked")
        return [
            Counts(connection, source, each, *(self._counts[each][name] for name in names))
            for each in resources
        ]
