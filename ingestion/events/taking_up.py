"""Rows that waited for what somebody else sends: a proof that came before its shipment was assigned.

Belongs here: finding those whose parent has come, and having them read again as if they came now. How a row waits, and until
when, is ``sorting`` and ``parking``; a reading of the partner's own system takes up the same rows.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Engine

from contracts.resources import Resource, resource
from core.connections import Connection
from core.settings import Settings
from ingestion.events.adapter import InboxAdapter
from ingestion.events.giving_up import is_of_the_place
from ingestion.known import known_parents
from ingestion.load import Loader
from ingestion.run import Counts, read
from ingestion.sorting import Tally
from state import dead_letters, ingest_counts
from state.dead_letters import DeadLetter
from state.observations import business_now

log = logging.getLogger("waybill.ingestion")


def take_up(
    settings: Settings,
    engine: Engine,
    connections: Iterable[Connection],
    run_id: str,
    loaded: Collection[tuple[str, str]] | None,
) -> list[Counts]:
    """Load every waiting row whose parent is there now, and say what was counted, under a run id of their own.

    ``loaded``: ``(kind, resource)`` of what this batch has brought, None for whatever may have come at any time. No resource
    that waits is one that others wait for, so that one look is enough.
    """
    counts: list[Counts] = []
    by_name = {each.connection: each for each in connections if each.lifecycle != "retired"}
    for (name, kind), waiting in _waiting(engine, loaded).items():
        letters = {each.name: dead_letters.parked(engine, name, each.name) for each in waiting}
        due = [each.name for each in waiting if _has_come(settings, each, letters[each.name])]
        if due and name in by_name:
            of_kind = by_name[name].model_copy(update={"kind": kind})
            counts += _read(
                settings, engine, of_kind, f"{run_id}_waited", {each: letters[each] for each in due}
            )
    return counts


def _read(
    settings: Settings,
    engine: Engine,
    of_kind: Connection,
    run_id: str,
    letters: Mapping[str, Sequence[DeadLetter]],
) -> list[Counts]:
    """Resource by resource, what waits. What breaks the load is for people to look at: no later batch is to break on it."""
    loader = Loader(settings, of_kind.connection, of_kind.kind, is_inbox=True)
    adapter = InboxAdapter(list(letters), [], business_now(engine))
    try:
        return read(settings, engine, of_kind, adapter, run_id, loader, Tally(), moves=False)
    except Exception as error:
        if is_of_the_place(error):
            raise
        loader.abandon()
        ingest_counts.forget(engine, run_id, of_kind.connection)
        gone = [each.dead_letter_id for some in letters.values() for each in some]
        dead_letters.expire(engine, gone)
        log.exception(
            "%s: %d waiting rows cannot be loaded and are dead letters now", of_kind.connection, len(gone)
        )
        return []


def _waiting(
    engine: Engine, loaded: Collection[tuple[str, str]] | None
) -> dict[tuple[str, str], list[Resource]]:
    """Connection and kind → the resources whose rows may wait for what was loaded."""
    found: defaultdict[tuple[str, str], list[Resource]] = defaultdict(list)
    for name, kind, waits in sorted(dead_letters.parked_resources(engine)):
        own = resource(kind, waits)
        if own.parent and (loaded is None or (own.parent.kind, own.parent.resource) in loaded):
            found[name, kind].append(own)
    return dict(found)


def _has_come(settings: Settings, own: Resource, letters: Iterable[DeadLetter]) -> bool:
    """Whether the parent of any waiting row is known: the others would only be counted once more."""
    assert own.parent is not None
    known = known_parents(settings, own.parent) or set()
    return any((each.fields or {}).get(own.parent.field) in known for each in letters)
