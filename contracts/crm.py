"""What customer service records about a delivery that goes wrong."""

from __future__ import annotations

from typing import ClassVar, Literal

from contracts.base import Contract, Flag, Id, Instant


class ExceptionEvent(Contract):
    """One change of one exception case. The case itself follows from its events, in whatever order they come.
    ``is_customer_pause`` says of a pause that it waits for the customer."""

    key: ClassVar[tuple[str, ...]] = ("event_id",)

    event_id: Id
    exception_id: Id
    change: Literal["opened", "paused", "resumed", "resolved", "reopened"]
    occurred_at: Instant
    detected_at: Instant | None = None
    code: Id
    severity: Literal["low", "medium", "high", "critical"]
    cause_class: Literal["technical", "business", "data"]
    consignment_id: Id | None = None
    is_customer_pause: Flag = False
