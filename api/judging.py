"""Events, one or several: each by its contract, and by what its sender reaches.

Belongs here: what every way in does with events between reading the bytes and keeping them. Limits of a body are
``bodies``', keeping is ``intake``'s, answering is the way's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from api import bodies, drift, intake
from api.gateway import Gateway
from api.problems import Problem, told, unprocessable
from api.sources import Source
from contracts.cloud_events import CloudEvent
from contracts.message_base import MOST_EVENTS
from core.connections import Connection


@dataclass(frozen=True)
class Judged:
    """One event and its bytes; ``event`` is None where it is refused, and ``refusal`` says why and under which letter."""

    raw: bytes
    id: str | None
    event: CloudEvent | None
    refusal: dict[str, Any]


Read = tuple[bytes, Any]
"""An event as it came, and the same as JSON."""


def several(raw: bytes) -> list[Read]:
    """The events of a batch; Refused when the body is no list of so many as may be."""
    document = bodies.parse(raw)
    if isinstance(document, list) and 1 <= len(document) <= MOST_EVENTS:
        return bodies.items(raw)
    raise bodies.Refused(422, "CONTRACT_BROKEN", f"expected a list of 1 to {MOST_EVENTS} events")


async def judge(
    gateway: Gateway, connection: Connection, source: Source, raws: Sequence[Read]
) -> list[Judged]:
    """All at once, and one by one where that fails. What is refused is a dead letter afterwards."""
    read = [_read(each) for each, _ in raws]
    events = [each for each in read if isinstance(each, CloudEvent)]
    try:
        await gateway.reach(connection, events)
        is_all_reached = True
    except Problem:
        is_all_reached = False
    judged = []
    for (raw, document), event in zip(raws, read, strict=True):
        problem = event if isinstance(event, Problem) else None
        if isinstance(event, CloudEvent) and not is_all_reached:
            try:
                await gateway.reach(connection, [event])
            except Problem as error:
                problem = error
        if problem is None and isinstance(event, CloudEvent):
            await drift.count(gateway.engine, source, document, event)
            judged.append(Judged(raw, event.root.id, event, {}))
            continue
        assert problem is not None
        reason = "CONTRACT_BROKEN" if isinstance(event, Problem) else "NOT_REACHED"
        letter = await intake.refuse(gateway, source, raw, reason, problem.detail)
        errors = problem.more.get("errors") or [{"where": "", "expected": problem.remedy}]
        refusal = {"outcome": "refused", "dead_letter_id": letter, "errors": errors}
        judged.append(Judged(raw, None, None, refusal))
    return judged


def id_of(event: CloudEvent) -> str:
    """The id of the message. A source holds no blank, so that both parts can be told apart."""
    return f"{event.root.source} {event.root.id}"


def _read(raw: bytes) -> CloudEvent | Problem:
    try:
        return CloudEvent.model_validate_json(raw, strict=True)
    except ValidationError as error:
        return unprocessable(told(error))
