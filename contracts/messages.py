"""The messages of the API's capabilities, apart from events: what a partner says, in Waybill's own words.

Belongs here: one model for each capability, with the raw resources that it becomes rows of. What is received beside
the body (who sent it, when, under which id) is not part of a message.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from contracts.base import ZERO_DECIMAL_CURRENCIES, Currency, Day, Flag, Id, Text, Whole
from contracts.message_base import MOST_DOCUMENTS, MOST_LINES, DecimalText, DocumentId, Message, Moment, Part


class ReleasedLine(Part):
    """One line of a released order: a row of ``erp.order_lines``."""

    order_line_id: Id
    line_no: Whole = Field(ge=1)
    item_id: Id
    quantity: DecimalText
    uom: Id
    unit_price_amount: DecimalText
    net_amount: DecimalText
    contract_price_amount: DecimalText | None = None
    tax_code: Id | None = None
    tax_rate_percent: DecimalText | None = None
    is_return: Flag = False

    @model_validator(mode="after")
    def _sign_says_return(self) -> Self:
        if (self.quantity < 0) != self.is_return:
            raise ValueError("a negative quantity is a return, and only a return is negative")
        return self


class OrderRelease(Message):
    """An order that may be delivered: a row of ``erp.orders`` and one of ``erp.order_lines`` for each line. The same
    order is sent again, under another message id, when it changes; ``changed_at`` is its version."""

    kind: ClassVar[str] = "order_release"

    order_id: Id
    customer_id: Id
    currency: Currency
    status: Literal["confirmed", "cancelled", "closed"] = "confirmed"
    ordered_at: Moment
    changed_at: Moment
    company_id: Id | None = None
    bill_to_id: Id | None = None
    depot_id: Id | None = None
    time_zone: Id | None = None
    po_no: Text | None = None
    confirmed_at: Moment | None = None
    credit_ok_at: Moment | None = None
    cancelled_at: Moment | None = None
    earliest_release_at: Moment | None = None
    requested_delivery_at: Moment | None = None
    requested_delivery_date: Day | None = None
    promised_from_at: Moment | None = None
    first_promised_at: Moment | None = None
    last_promised_at: Moment | None = None
    promise_precision: Literal["timestamp", "date"] = "timestamp"
    net_total_amount: DecimalText | None = None
    tax_total_amount: DecimalText | None = None
    grand_total_amount: DecimalText | None = None
    lines: tuple[ReleasedLine, ...] = Field(min_length=1, max_length=MOST_LINES)

    @model_validator(mode="after")
    def _whole_minor_units(self) -> Self:
        totals = (self.net_total_amount, self.tax_total_amount, self.grand_total_amount)
        if self.currency in ZERO_DECIMAL_CURRENCIES and any(t is not None and t % 1 for t in totals):
            raise ValueError("the currency has no minor unit")
        return self

    @model_validator(mode="after")
    def _lines_have_names_of_their_own(self) -> Self:
        if len({line.order_line_id for line in self.lines}) != len(self.lines):
            raise ValueError("two lines have one order_line_id")
        return self


class AssignedLine(Part):
    """Goods of a consignment: a row of ``dispatch.consignment_lines``."""

    consignment_line_id: Id
    order_line_id: Id
    item_id: Id
    quantity: DecimalText
    uom: Id
    weight_kg: DecimalText | None = None
    sscc: Id | None = None


class AssignedConsignment(Part):
    """What is moved for one order to one place: a row of ``dispatch.consignments``."""

    consignment_id: Id
    order_id: Id
    status: Literal["accepted", "confirmed", "modified", "inTransit", "completed", "cancelled"] = "confirmed"
    parent_id: Id | None = None
    relation: Literal["split", "redelivery"] | None = None
    depot_id: Id | None = None
    delivery_location_id: Id | None = None
    carrier_id: Id | None = None
    time_zone: Id | None = None
    cancelled_at: Moment | None = None
    lines: tuple[AssignedLine, ...] = Field(default=(), max_length=MOST_LINES)


class AssignedStop(Part):
    """One action that the trip is to take, in its order: a row of ``dispatch.actions`` with the lifecycle planned."""

    action_id: Id
    action_type: Literal["stop", "load", "unload", "handOver"]
    sequence_nr: Whole = Field(ge=0)
    stop_id: Id | None = None
    location_id: Id | None = None
    consignment_id: Id | None = None
    planned_start_at: Moment | None = None
    planned_end_at: Moment | None = None
    free_time_s: Whole | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.planned_start_at and self.planned_end_at and self.planned_end_at < self.planned_start_at:
            raise ValueError("planned_end_at before planned_start_at")
        return self


class RouteAssignment(Message):
    """A trip with its vehicle, its load and its stops: a row of ``dispatch.trips`` and the rows of its parts. A trip
    that changes is sent again whole; ``changed_at`` is the version of all its rows."""

    kind: ClassVar[str] = "route_assignment"

    trip_id: Id
    status: Literal["requested", "accepted", "confirmed", "modified", "inTransit", "completed", "cancelled"]
    changed_at: Moment
    vehicle_id: Id | None = None
    driver_id: Id | None = None
    driver_count: Whole = Field(default=1, ge=0, le=10)
    depot_id: Id | None = None
    consignments: tuple[AssignedConsignment, ...] = Field(min_length=1, max_length=MOST_LINES)
    stops: tuple[AssignedStop, ...] = Field(default=(), max_length=MOST_LINES)


class HandedOver(Part):
    """How much of a line the receiver took: a row of ``pod.delivered_lines``."""

    pod_line_id: Id
    item_id: Id
    quantity: DecimalText
    uom: Id
    order_line_id: Id | None = None


class ProofDocument(Part):
    """A document that was uploaded before, or together with the proof: a row of ``pod.evidence`` (status sealed)."""

    document_id: DocumentId
    kind: Literal["signature", "photo", "document"]


class ProofOfDeliveryMessage(Message):
    """One completed or failed delivery: a row of ``pod.proofs``, with ``received_at`` when Waybill took it in and
    ``has_line_quantities`` where it has lines. A proof that was wrong is replaced by another (``supersedes_id``) or sent
    again with ``voided_at``; ``changed_at`` is its version."""

    kind: ClassVar[str] = "proof_of_delivery"

    pod_id: Id
    consignment_id: Id
    outcome: Literal["succeeded", "failed", "partiallySucceeded"]
    captured_at: Moment
    changed_at: Moment
    order_id: Id | None = None
    failure_reason: Text | None = None
    signer: Text | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    supersedes_id: Id | None = None
    voided_at: Moment | None = None
    has_damage: Flag = False
    lines: tuple[HandedOver, ...] = Field(default=(), max_length=MOST_LINES)
    documents: tuple[ProofDocument, ...] = Field(default=(), max_length=MOST_DOCUMENTS)


class FreightCost(Message):
    """What a carrier asks for moving an order or a shipment: a row of ``carrier.freight_charges``."""

    kind: ClassVar[str] = "freight_cost"

    freight_charge_id: Id
    amount: DecimalText
    currency: Currency
    charged_at: Moment
    changed_at: Moment
    order_id: Id | None = None
    consignment_id: Id | None = None
    carrier_id: Id | None = None
    basis: Text | None = None
    evidence_event_id: Id | None = None
    cost_centre_id: Id | None = None

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if self.order_id is None and self.consignment_id is None:
            raise ValueError("a cost names the order_id or the consignment_id that it was for")
        if self.currency in ZERO_DECIMAL_CURRENCIES and self.amount % 1:
            raise ValueError("the currency has no minor unit")
        return self


class ExceptionChange(Message):
    """One turn of an exception case: a row of ``crm.exception_events``. Raising one is ``opened``."""

    kind: ClassVar[str] = "exception"

    event_id: Id
    exception_id: Id
    change: Literal["opened", "paused", "resumed", "resolved", "reopened"]
    occurred_at: Moment
    detected_at: Moment | None = None
    code: Id
    severity: Literal["low", "medium", "high", "critical"]
    cause_class: Literal["technical", "business", "data"]
    consignment_id: Id | None = None
    is_customer_pause: Flag = False
