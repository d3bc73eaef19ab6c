"""The vocabulary of field types that all contracts share, and the base model that enforces them.

Every type here refuses rather than repairs: an adapter may convert what a vendor's documentation
says (epoch milliseconds, a declared decimal comma), a contract never guesses.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

# ISO 4217 minor units that are not two; every other known currency has two.
ZERO_DECIMAL_CURRENCIES = frozenset({"CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"})


def _visible(text: str) -> str:
    """Refuse ids that look equal to a person and differ to a machine (zero-width, bidi, NUL)."""
    # What is printable has none of them: only a text that is not is looked at letter by letter.
    for char in "" if text.isprintable() else text:
        if unicodedata.category(char) in {"Cf", "Cc", "Cs"}:
            raise ValueError(f"invisible or control character U+{ord(char):04X} in an id")
    if text != text.strip():
        raise ValueError("an id with leading or trailing white space")
    return text


def _clean(text: str) -> str:
    """Names keep what people wrote, except what no store can hold faithfully."""
    if "\x00" in text or any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise ValueError("NUL or a lone surrogate in a text")
    return text


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("not a finite number")
    return value


def _no_float(value: object) -> object:
    """A binary float has already lost the cents; vendors' JSON is read with parse_float=Decimal."""
    if isinstance(value, bool | float):
        raise ValueError(f"expected a decimal, found a {type(value).__name__}")
    return value


def _plausible(value: datetime) -> datetime:
    utc = value.astimezone(UTC)
    if not EARLIEST <= utc < LATEST:
        raise ValueError("an instant outside 1990 to 2100: a wrong unit or a placeholder")
    return utc


def _plausible_date(value: date) -> date:
    if not EARLIEST.date() <= value < LATEST.date():
        raise ValueError("a date outside 1990 to 2100: a wrong unit or a placeholder")
    return value


Id = Annotated[str, Field(strict=True, min_length=1, max_length=140), AfterValidator(_visible)]
Text = Annotated[str, Field(strict=True, max_length=2000), AfterValidator(_clean)]
Currency = Annotated[str, Field(strict=True, pattern=r"^[A-Z]{3}$")]
Amount = Annotated[
    Decimal,
    BeforeValidator(_no_float),
    AfterValidator(_finite),
    Field(max_digits=18, decimal_places=4),
]
Quantity = Amount
# As wide as the stores' own whole numbers: one that is wider would fail a whole batch when it is written.
Whole = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
Rate = Annotated[
    Decimal,
    BeforeValidator(_no_float),
    AfterValidator(_finite),
    Field(max_digits=18, decimal_places=8),
]
Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]
Day = Annotated[date, AfterValidator(_plausible_date)]
Flag = Annotated[bool, Field(strict=True)]


class Contract(BaseModel):
    """One row of one resource. Extra fields are an adapter's mistake, so they are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: ClassVar[str] = "v1"
    key: ClassVar[tuple[str, ...]]
    """The fields whose values, joined by ``|``, are the row's source id."""


class Envelope(BaseModel):
    """What ingestion adds to every accepted row before it reaches landing and raw tables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_system: Id
    source_id: Id
    source_version: Instant
    ingested_at: Instant
    run_id: Id
    contract_version: Id
    trace_id: Id
    row_hash: Id
