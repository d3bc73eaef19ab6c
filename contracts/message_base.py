"""What all messages share that partners send to Waybill's own API, and the types that only such messages have.

Belongs here: the base of every message and of its parts, and amounts as texts. The messages are ``messages`` and
``cloud_events``. A message has the field names of the row contracts that it becomes rows of; what a partner may say is
narrower than what a row may hold, so the two are versioned apart.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from contracts.base import Instant

MOST_LINES = 1000
"""Lines of one order, one load or one proof."""
MOST_EVENTS = 500
"""Events of one batch."""
MOST_DOCUMENTS = 32
"""Documents of one proof."""

_DECIMAL = r"-?(?:0|[1-9][0-9]{0,13})(?:\.[0-9]{1,4})?"


def _only_text(value: object) -> object:
    """A JSON number may have been a binary float on its way; a text has every digit that was meant."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not re.fullmatch(_DECIMAL, value):
        told = "another text" if isinstance(value, str) else f"a {type(value).__name__}"
        raise ValueError(f'expected a decimal as a text such as "12.50", found {told}')
    return Decimal(value)


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_only_text),
    Field(max_digits=18, decimal_places=4, allow_inf_nan=False),
    WithJsonSchema({"type": "string", "pattern": f"^{_DECIMAL}$"}),
]
"""An amount or a quantity: ``"1234.50"``, never a JSON number."""


def _written_out(value: object) -> object:
    """A number of seconds or milliseconds is a guess at its unit; RFC 3339 is none."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("expected an instant such as 2026-11-13T10:00:00Z")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise ValueError("expected an instant such as 2026-11-13T10:00:00Z") from error


Moment = Annotated[Instant, BeforeValidator(_written_out)]
"""An instant in RFC 3339 with its zone."""

DocumentId = Annotated[str, Field(strict=True, pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of an uploaded document, which is what the upload answered."""


class Part(BaseModel):
    """Something inside a message. A field that nobody agreed on refuses nothing: what came is kept, and counted."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Message(Part):
    """One message of a capability, version by version."""

    kind: ClassVar[str]
    """The capability's word for it: what the inbox, the ingestion and the ledger call it."""
    version: ClassVar[str] = "v1"
