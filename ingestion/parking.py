"""Rows that wait for their parent: taken up again by every reading, until it comes or they are too old.

A refused row is not taken up; where the source sends the very bytes again and they pass by now, its letter is closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine

from contracts.resources import RESOURCES, Parent, Resource
from core.ids import sha256_hex
from core.settings import Settings
from ingestion.base import Columns, SourceRecord
from ingestion.known import Parents
from ingestion.sorting import Sorted
from ingestion.strict_json import as_came
from state import dead_letters
from state.dead_letters import DeadLetter


class Waiting:
    """The parked and the refused rows of one resource of one connection during one reading."""

    def __init__(
        self, engine: Engine, connection: str, resource: str, letters: Sequence[DeadLetter] | None = None
    ) -> None:
        """``letters``: those of the parked rows that are to be taken up, None for all of them."""
        self._engine = engine
        self._letters = dead_letters.parked(engine, connection, resource) if letters is None else letters
        self._refused = dead_letters.refused(engine, connection, resource)
        self.released: dict[str, str] = {}
        """Letters whose row passed, with the hash of its bytes."""
        self._sent: set[str] = set()

    def note_sent(self, records: Sequence[SourceRecord], columns: Sequence[Columns]) -> None:
        """Remember what the source sent again: it is judged as it comes and not taken up a second time."""
        if self._letters:
            self._sent.update(hash_of(each.raw) for each in records)
            self._sent.update(hash_of(raw) for each in columns for raw in each.raws)

    def records(self) -> list[SourceRecord]:
        """The parked rows that the source did not send again."""
        return [_record(each) for each in self._letters if each.raw_sha256 not in self._sent]

    def settle(self, outcome: Sorted) -> None:
        """Note which parked rows found their parent, and close the waiting of those that are too old."""
        self._note_passed(outcome)
        if not self._letters:
            return
        parked = {each.raw_sha256: each.dead_letter_id for each in self._letters}
        # Repeated: it was loaded by a reading that died before it could say so.
        accepted = {hash_of(each.record.raw) for each in (*outcome.accepted, *outcome.repeated)}
        accepted |= {hash_of(raw) for each in outcome.plain for raw in each.raws}
        self.released |= {letter: raw for raw, letter in parked.items() if raw in accepted}
        too_old = [
            each.dead_letter_id
            for each in outcome.letters
            if each.status == "open" and each.raw_sha256 in parked
        ]
        dead_letters.expire(self._engine, too_old)

    def close(self) -> None:
        """Resolve the released rows; call it once they are loaded."""
        dead_letters.resolve(self._engine, list(self.released))

    def _note_passed(self, outcome: Sorted) -> None:
        """Note which refused rows came again, byte by byte, and passed: a contract or a mapping was mended."""
        if not self._refused:
            return
        passed: list[tuple[str, Mapping[str, Any] | bytes]] = [
            (each.source_id, each.record.raw) for each in outcome.accepted
        ]
        for each in outcome.plain:
            passed.extend(zip(each.source_ids, each.raws, strict=True))
        for source_id, raw in passed:
            for letter, raw_sha256 in self._refused.get(source_id, ()):
                if raw_sha256 == hash_of(raw):
                    self.released[letter] = raw_sha256


class FreshParents:
    """Parents that this reading accepted and that are not loaded yet, so that their children need not wait."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)

    def note(self, resource: Resource, outcome: Sorted) -> None:
        """Remember what children of ``resource`` may name."""
        for field in {
            each.parent.parent_field for each in RESOURCES if each.parent and _names(each.parent, resource)
        }:
            fresh = self._values[resource.kind, resource.name, field]
            named = [each.fields[field] for each in outcome.accepted]
            for each in outcome.plain:
                named.extend(each.table[field].to_pylist())
            fresh.update(value for value in named if value is not None)

    def with_known(self, settings: Settings, parent: Parent) -> Parents:
        """These and what the warehouse knows."""
        return Parents(settings, parent, self._values[parent.kind, parent.resource, parent.parent_field])


def _names(parent: Parent, resource: Resource) -> bool:
    return (parent.kind, parent.resource) == (resource.kind, resource.name)


def _record(letter: DeadLetter) -> SourceRecord:
    return SourceRecord(
        resource=letter.resource,
        raw=letter.raw,
        version=letter.source_version,
        fields=letter.fields,
        order_ref=letter.order_ref,
        shipment_ref=letter.shipment_ref,
    )


def hash_of(raw: Mapping[str, Any] | bytes) -> str:
    """What a letter knows the row's bytes by."""
    return sha256_hex(as_came(raw))
