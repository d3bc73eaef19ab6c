"""Rows that wait for their parent: taken up again by every reading, until it comes or they are too old."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from core.ids import canonical_json, sha256_hex
from ingestion.base import SourceRecord
from ingestion.sorting import Sorted
from state import dead_letters
from state.dead_letters import DeadLetter


class Waiting:
    """The parked rows of one resource of one connection during one reading."""

    def __init__(self, engine: Engine, connection: str, resource: str) -> None:
        self._engine = engine
        self._letters = dead_letters.parked(engine, connection, resource)
        self._released: list[str] = []
        self._sent: set[str] = set()

    def note_sent(self, records: Sequence[SourceRecord]) -> None:
        """Remember what the source sent again: it is judged as it comes and not taken up a second time."""
        if self._letters:
            self._sent.update(_raw_hash(each) for each in records)

    def records(self) -> list[SourceRecord]:
        """The parked rows that the source did not send again."""
        return [_record(each) for each in self._letters if each.raw_sha256 not in self._sent]

    def settle(self, outcome: Sorted) -> None:
        """Note which parked rows found their parent, and close the waiting of those that are too old."""
        parked = {each.raw_sha256: each.dead_letter_id for each in self._letters}
        accepted = {_raw_hash(each.record) for each in outcome.accepted}
        self._released.extend(letter for raw, letter in parked.items() if raw in accepted)
        too_old = [
            each.dead_letter_id
            for each in outcome.letters
            if each.status == "open" and each.raw_sha256 in parked
        ]
        dead_letters.expire(self._engine, too_old)

    def close(self) -> None:
        """Resolve the released rows; call it once they are loaded."""
        dead_letters.resolve(self._engine, self._released)


def _record(letter: DeadLetter) -> SourceRecord:
    return SourceRecord(
        resource=letter.resource,
        raw=letter.raw,
        version=letter.source_version,
        fields=letter.fields,
        order_ref=letter.order_ref,
        shipment_ref=letter.shipment_ref,
    )


def _raw_hash(record: SourceRecord) -> str:
    return sha256_hex(record.raw if isinstance(record.raw, bytes) else canonical_json(record.raw))
