"""What a partner's open messages say: their rows, or why they have none, or what they wait for.

Belongs here: everything that comes before the warehouse, so that nobody holds it while a partner's system is asked for a
document. A message of which something cannot be had now stays open, and is asked for again after a pause (``rests``);
while a partner's system does not answer, it is asked with one message alone. One that nobody can read is given up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from core.connections import Connection
from core.errors import ConfigurationError
from core.settings import Settings
from ingestion.base import Rejection, SourceFailure
from ingestion.events.giving_up import given_up, is_of_the_place
from ingestion.events.mapping import Mapper
from ingestion.events.parts import KindAndRecord
from ingestion.events.rests import Rests
from ingestion.pod.onfleet import OnfleetAdapter
from state import inbox
from state.inbox import Message
from state.observations import business_now, business_times

LONGEST_OF_A_PARTNER_S = 60.0
"""So long a partner's system is left alone at most: messages whose documents are there wait for it."""
Rows = dict[str, list[KindAndRecord]]
"""By the message that they are made of."""


@dataclass
class Understood:
    """Open messages of a partner, oldest first; ``rows`` of those that have any; ``postponed``: what the others wait for."""

    connection: Connection
    now: datetime
    messages: list[Message] = field(default_factory=list)
    rows: Rows = field(default_factory=dict)
    refused: list[tuple[Message, Rejection]] = field(default_factory=list)
    postponed: dict[str, str] = field(default_factory=dict)

    @property
    def is_something(self) -> bool:
        """Whether there is anything to load or to refuse."""
        return bool(self.rows or self.refused)


def understand(
    settings: Settings, engine: Engine, connection: Connection, most: int, rests: Rests
) -> Understood:
    """Read a partner's open messages, so many at most that do not wait for something."""
    understood = Understood(connection, business_now(engine))
    last_no = 0
    while messages := inbox.unsettled(engine, connection.connection, most, last_no):
        # By the business's clock, as everything else that a row says of time; and the same when it is read again.
        times = business_times(engine, [each.received_at for each in messages])
        some = [replace(each, received_at=at) for each, at in zip(messages, times, strict=True)]
        _read(settings, some, understood, rests)
        if understood.is_something:
            understood.messages = some
            break
        last_no = messages[-1].message_no  # all of them wait: those behind them need not
    return understood


def _read(settings: Settings, messages: Sequence[Message], into: Understood, rests: Rests) -> None:
    with _onfleet_of(settings, into.connection, rests) as onfleet:
        mapper = Mapper(settings, onfleet)
        # What failed before comes last: it may fail again, and then its system is left alone for a while.
        for message in sorted(messages, key=lambda each: rests.failures(each.message_id)):
            name = message.message_id
            if (why := rests.why(name)) is not None:
                into.postponed[name] = why
                continue
            try:
                found = mapper.rows(message)
            except _Resting as resting:
                into.postponed[name] = resting.message
                continue
            except SourceFailure as failure:
                into.postponed[name] = failure.message
                rests.failed(name, failure.message)
                rests.failed(into.connection.connection, failure.message, LONGEST_OF_A_PARTNER_S)
                continue
            except Exception as error:
                if is_of_the_place(error):
                    raise
                found = given_up(message, error)
            rests.over(name)
            onfleet.note_answer()
            if isinstance(found, Rejection):
                into.refused.append((message, found))
            else:
                into.rows[name] = found


class _Resting(SourceFailure):
    """The partner's system failed with another message, and is not asked now."""


@contextmanager
def _onfleet_of(settings: Settings, connection: Connection, rests: Rests) -> Iterator[_Onfleet]:
    onfleet = _Onfleet(settings, connection, rests)
    try:
        yield onfleet
    finally:
        onfleet.close()


class _Onfleet:
    """The partner's own API, opened when a message needs a document from there."""

    def __init__(self, settings: Settings, connection: Connection, rests: Rests) -> None:
        self._settings, self._connection, self._rests = settings, connection, rests
        self._adapter: OnfleetAdapter | None = None

    def __call__(self) -> OnfleetAdapter:
        if (why := self._rests.why(self._connection.connection)) is not None:
            raise _Resting(why, remedy="Wait: it is asked again.")
        if self._adapter is None:
            try:
                self._adapter = OnfleetAdapter(self._settings, self._connection, None)
            # One partner's secret that is not set is its messages' matter, and stops nobody else's.
            except ConfigurationError as error:
                raise SourceFailure(error.message, remedy=error.remedy) from error
        return self._adapter

    def note_answer(self) -> None:
        """After a message that went well: the system answers again, if it was asked."""
        # It has a clock once it has answered. After a failure nobody asks it, and nothing is known.
        has_answered = self._adapter is not None and self._adapter.source_clock is not None
        if has_answered and self._rests.why(self._connection.connection) is None:
            self._rests.over(self._connection.connection)

    def close(self) -> None:
        if self._adapter is not None:
            self._adapter.close()
