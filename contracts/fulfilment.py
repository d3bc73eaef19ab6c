"""The fulfilment confirmation on its way out: the candidate that is judged, and the document that is sent.

``FulfilmentCandidate`` is the column list of the dbt model ``fulfilment_candidates``: the part of an invoice's candidate that
speaks of proof and goods, under the same names, because the same frame judges both. No amounts: it carries no money.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.base import Day, Flag, Id, Instant, Quantity, Text
from contracts.outbound import OutboundDocument

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code where no currency is involved: what the outbox and receipts hold of a document without money."""


class FulfilmentCandidate(BaseModel):
    """One row a delivered shipment whose delivery somebody should confirm. Grain: one shipment.

    Counts are of lines or documents and never NULL; a NULL anywhere else means *not known*.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # identity
    business_id: Id = Field(description="shipment_id: what one confirmation speaks of")
    revision: int = Field(description="always 1: what was confirmed is corrected by people")
    shipment_no: Id = Field(description="the consignment's id in dispatch")
    order_no: Id | None = Field(description="the sales order's id in the ERP; NULL when unknown")
    company_id: Id | None = Field(description="the delivering company's id in the ERP")
    customer_id: Id | None = Field(description="the customer's id in the ERP, as the order names it")
    pod_id: Id | None = Field(description="the live proof of delivery's id in the POD app")
    erp_connection: Id | None = Field(description="connection the order came from")
    as_of: Instant = Field(description="the instant for which the candidate was computed")
    input_hash: Id = Field(description="SHA-256 over every input of the decision except as_of")
    content_hash: Id = Field(description="SHA-256 over what would be confirmed: parties and lines")

    # what would be confirmed
    line_count: int
    lines_json: Text = Field(description="JSON array of FulfilmentLine, decimals as strings")

    # evidence
    live_pod_count: int = Field(description="PODs neither voided nor superseded")
    conflicting_pod_count: int = Field(description="live PODs that disagree with the chosen one")
    superseded_pod_count: int = Field(description="PODs of this shipment that a newer one replaced")
    is_pod_superseded: Flag = Field(description="the newest POD is superseded and nothing replaced it")
    pod_voided_at: Instant | None = Field(description="set when the only POD was voided")
    pod_outcome: Text | None
    handover_result_status: Text | None = Field(
        description="OTM result of the handOver action; cancelled when dispatch cancelled the consignment"
    )
    pod_order_no: Id | None = Field(description="the order the POD names; NULL when it names none")
    pod_captured_at: Instant | None
    pod_received_at: Instant | None
    departed_at: Instant | None = Field(description="first departure realized")
    delivered_at: Instant | None
    requires_signature: Flag | None
    requires_photo: Flag | None
    sealed_signature_count: int
    sealed_photo_count: int
    evidence_hash_mismatch_count: int
    pod_distance_m: float | None = Field(description="POD place to delivery location, metres")
    has_open_damage: Flag
    time_quality: Text = Field(description="worst of the shipment's times")

    # quantity
    delivered_quantity: Quantity = Field(description="sum over lines, in order units; 0 when none")
    over_delivered_line_count: int = Field(description="lines delivered above what was loaded")
    over_ordered_line_count: int = Field(description="order lines delivered in total above ordered")
    short_line_count: int = Field(description="lines delivered below what was loaded")
    unconvertible_uom_count: int
    foreign_item_count: int = Field(description="delivered items that are not on the order")

    # what the ERP asks of whoever writes a delivery into it
    posting_date: Day = Field(description="as_of in the company's zone")
    delivery_date: Day | None = Field(description="delivered_at in the company's zone")
    books_closed_until: Day | None
    order_status: Text | None
    customer_is_active: Flag | None = Field(description="NULL when the customer is unknown")
    is_on_billing_hold: Flag | None = Field(description="the ERP takes no document about such a customer")


class FulfilmentLine(BaseModel):
    """What was delivered of one line of the order, in the order's unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: Id
    order_line_id: Id | None
    item_id: Id
    quantity: Decimal
    uom: Id


class FulfilmentDocument(OutboundDocument):
    """What is sent: per line what the receiver accepted, when, and the proof of it. ``total_quantity`` adds the lines up."""

    pod_id: Id
    delivered_at: AwareDatetime | None
    delivery_date: date | None
    total_quantity: Decimal
    lines: tuple[FulfilmentLine, ...]
