"""Taking back rows that were loaded, or landed for a load that did not come to its end.

Belongs here: what it is to have never had a row. Whose rows these are, and what becomes of who sent them: ``run`` and
``taking_up``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from sqlalchemy import Engine

from contracts.resources import resource
from core.settings import Settings
from ingestion.events.fates import Row
from ingestion.withdrawn import withdraw
from state import ingest_counts


def withdraw_rows(settings: Settings, connection: str, rows: Iterable[Row]) -> None:
    """A warehouse that is made anew does not have them."""
    hashes: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        hashes[row.kind, row.resource].add(row.row_hash)
    for (kind, name), own in hashes.items():
        withdraw(settings, resource(kind, name), connection, own)


def count_back(engine: Engine, connection: str, rows: Iterable[Row]) -> None:
    """Count them no more."""
    counted = Counter((row.run_id, row.kind, row.resource, row.fate) for row in rows)
    ingest_counts.take_back(engine, connection, counted)
