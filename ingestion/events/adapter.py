"""Rows of messages as a source of one kind of system, so that they go the way of everything that is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from ingestion.base import Page, SourceRecord, Stream
from ingestion.landing import INBOX


class InboxAdapter:
    """What a partner's messages say about one kind of system; ``rows`` in the order in which they came."""

    def __init__(self, resources: Sequence[str], rows: Sequence[SourceRecord], now: datetime) -> None:
        self._resources, self._rows = tuple(resources), rows
        self.source_clock = now
        """The business's own now: what a partner says of the time is in its messages."""

    def streams(self) -> Sequence[Stream]:
        """One stream with every resource that has rows, parents first."""
        return [Stream(INBOX, self._resources)]

    def pages(self, _stream: Stream, _cursor: str | None) -> Iterator[Page]:
        """All rows at once: a batch of messages is small. The inbox itself knows how far it was read."""
        yield Page(self._rows)

    def close(self) -> None:
        """There is nothing to let go of."""
