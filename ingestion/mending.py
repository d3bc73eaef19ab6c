"""A fix of a dead letter: its contract fields as a person writes them, held to the contract of every other row.

Belongs here: making and judging one. A fix never loads anything: that is ``replaying``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from contracts.resources import resource
from core.clock import utc_now
from core.errors import PermanentFailure
from ingestion.base import Rejection, SourceRecord
from ingestion.border import Border
from state import letter_fixes
from state.dead_letters import DeadLetter
from state.letter_fixes import Fix

NEVER_BY_HAND = frozenset({("pod", "evidence")})
"""What nobody may mend: an invoice rests on what was sent and hashed, not on what was typed."""


def newest(engine: Engine, letter: DeadLetter) -> SourceRecord:
    """The row of a letter as it would be replayed: with its newest fix, else as it was mapped when it came."""
    fixes = letter_fixes.of_letter(engine, letter.dead_letter_id)
    fields, version = (
        (fixes[-1].fields, fixes[-1].source_version) if fixes else (letter.fields, letter.source_version)
    )
    return _record(letter, fields, version)


def mend(
    engine: Engine,
    letter: DeadLetter,
    changes: Mapping[str, Any],
    version: datetime | None,
    actor: str,
    reason: str,
) -> Fix:
    """Keep the newest fields with some changed (None takes one away); PermanentFailure, with nothing kept, when bad.

    ``version`` is for a letter whose own change time could not be read; another letter keeps its own.
    """
    letter_fixes.refuse_unless_open(letter.dead_letter_id, letter.status)
    if (letter.kind, letter.resource) in NEVER_BY_HAND:
        raise PermanentFailure(
            f"A row of {letter.kind}.{letter.resource} is not written by hand: it says what a document is.",
            remedy="Ask the source for the document; what it sends then is judged anew.",
        )
    before = newest(engine, letter)
    if version is not None and letter.source_version is not None and version != letter.source_version:
        raise PermanentFailure(
            f"The row says itself that it was changed at {letter.source_version}.",
            remedy="Leave the change time out: it decides which version of a row is the newer one.",
        )
    fields = {
        name: value for name, value in {**(before.fields or {}), **changes}.items() if value is not None
    }
    outcome = Border(resource(letter.kind, letter.resource)).check(
        _record(letter, fields, version or before.version)
    )
    if isinstance(outcome, Rejection):
        raise PermanentFailure(
            f"The fix is refused as a row would be: {outcome.reason}: {outcome.detail}.",
            remedy=f"`waybill dead-letter show {letter.dead_letter_id[:12]} --fields` shows what is known of the row.",
        )
    return letter_fixes.add(engine, letter, outcome.fields, outcome.version, actor, reason, utc_now())


def _record(letter: DeadLetter, fields: Mapping[str, Any] | None, version: datetime | None) -> SourceRecord:
    return SourceRecord(
        resource=letter.resource,
        raw=letter.raw,
        version=version,
        fields=fields,
        order_ref=letter.order_ref,
        shipment_ref=letter.shipment_ref,
    )
