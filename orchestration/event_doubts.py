"""Candidates that are blocked because an attempt at them was under way: they are judged again once it has come to an end.

A worker that is killed while it sends leaves such attempts, and the first batch of the next one judges the same candidates
again before anybody knows what became of them. Found out that nothing was sent, they would wait for the next scheduled run:
the standing decision blocks them. Belongs here: remembering them. A worker that ends forgets them, and leaves them to that run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Engine

from quality.rules import INDEX
from state.decisions import Decision
from state.under_way import FOR_A_PERSON, OPEN, states_of

IN_FLIGHT = frozenset(
    rule.code
    for rules in INDEX.values()
    for rule in rules
    if any("outbox_state" in check.columns for check in rule.checks)
)
"""The codes that a candidate is blocked under while an attempt at it is under way."""


class Doubts:
    """By the instant of their batch, as which the warehouse has the candidates."""

    def __init__(self) -> None:
        self._ids: dict[datetime, frozenset[str]] = {}

    def note(self, engine: Engine, as_of: datetime, decisions: Iterable[Decision]) -> None:
        """Remember what was blocked so, in place of what this instant had before; not what waits for a person."""
        blocked = {each.business_id for each in decisions if IN_FLIGHT.intersection(each.codes)}
        states = states_of(engine, blocked)
        left = frozenset(each for each in blocked if FOR_A_PERSON.isdisjoint(states.get(each, ())))
        self._ids.pop(as_of, None)
        if left:
            self._ids[as_of] = left

    def over(self, engine: Engine) -> list[datetime]:
        """The batches of which no attempt is under way any more."""
        return [
            as_of
            for as_of, ids in self._ids.items()
            if all(OPEN.isdisjoint(states) for states in states_of(engine, ids).values())
        ]
