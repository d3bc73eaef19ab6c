"""Paging by change time: no row is lost when documents change while they are listed.

Each next request starts at the last change seen, so an offset never spans documents that may move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from core.ids import canonical_json

Fetch = Callable[[datetime | None, int], tuple[list[Any], bool]]
"""Rows changed at or after an instant, oldest change first, from an offset on; and whether there are more."""
ChangedAt = Callable[[Any], datetime | None]


def as_served(row: Any) -> bytes:
    """A row as a whole."""
    return canonical_json([row])


def by_change(
    fetch: Fetch, changed_at: ChangedAt, since: datetime | None, same: Callable[[Any], bytes] = as_served
) -> Iterator[list[Any]]:
    """Pages of rows. Rows of one instant stay on one page, so that contradictions meet.

    ``same`` is what of a row stays the same when it is served again.
    """
    offset = 0
    served: Counter[bytes] = Counter()
    held: list[Any] = []
    while True:
        rows, has_more = fetch(since, offset)
        offset += len(rows)
        fresh = _without(rows, served, same)
        last = next((at for at in map(changed_at, reversed(rows)) if at is not None), None)
        if not has_more or not rows:
            yield held + fresh
            return
        if last is None or (since is not None and last <= since):
            held += fresh
            continue
        tail = [each for each in held + fresh if changed_at(each) == last]
        yield [each for each in held + fresh if changed_at(each) != last]
        held = tail
        served = Counter(same(each) for each in rows if changed_at(each) == last)
        since, offset = last, 0


def _without(rows: list[Any], served: Counter[bytes], same: Callable[[Any], bytes]) -> list[Any]:
    """The rows that were not on the page before; each one served is left out once."""
    if not served:
        return rows
    fresh = []
    for each in rows:
        text = same(each)
        if served[text] > 0:
            served[text] -= 1
        else:
            fresh.append(each)
    return fresh
