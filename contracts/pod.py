"""Proofs of delivery, what was handed over line by line, and the sealed evidence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Contract, Flag, Id, Instant, Quantity, Text, Whole
from contracts.erp import TimeQuality


class ProofOfDelivery(Contract):
    """One completed or failed delivery as the POD app recorded it."""

    key: ClassVar[tuple[str, ...]] = ("pod_id",)

    pod_id: Id
    consignment_id: Id
    outcome: Literal["succeeded", "failed", "partiallySucceeded"]
    captured_at: Instant
    received_at: Instant
    order_id: Id | None = None
    failure_reason: Text | None = None
    signer: Text | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    longitude: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    supersedes_id: Id | None = None
    voided_at: Instant | None = None
    has_damage: Flag = False
    has_line_quantities: Flag = False
    time_quality: TimeQuality = "exact"


class DeliveredLine(Contract):
    """How much of one order line was accepted by the receiver."""

    key: ClassVar[tuple[str, ...]] = ("pod_line_id",)

    pod_line_id: Id
    pod_id: Id
    item_id: Id
    quantity: Quantity
    uom: Id
    order_line_id: Id | None = None


class Evidence(Contract):
    """One document of a POD after the attempt to fetch and seal it. ``sha256`` names the sealed file."""

    key: ClassVar[tuple[str, ...]] = ("evidence_id",)

    evidence_id: Id
    pod_id: Id
    kind: Literal["signature", "photo", "document"]
    status: Literal["sealed", "expired", "missing", "rejected"]
    reason: Text | None = None
    sha256: Id | None = None
    declared_sha256: Id | None = None
    mime_type: Text | None = None
    size_bytes: Whole | None = Field(default=None, ge=0)
    fetched_at: Instant
