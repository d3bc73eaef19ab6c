"""Objects a dispatch system owns, in Open Trip Model 5 words: trips, consignments, goods, actions."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from contracts.base import Amount, Contract, Currency, Day, Flag, Id, Instant, Quantity, Text, Whole
from contracts.erp import TimeQuality

OtmStatus = Literal[
    "draft", "requested", "accepted", "confirmed", "modified", "inTransit", "completed", "cancelled"
]


class Location(Contract):
    """A depot or a place of delivery, with the zone its clocks show; ``gln`` is GS1's number of it, ``un_code``
    its UN/LOCODE."""

    key: ClassVar[tuple[str, ...]] = ("location_id",)

    location_id: Id
    name: Text
    kind: Literal["depot", "customer"]
    time_zone: Id
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    region: Text | None = None
    gln: Id | None = None
    un_code: Id | None = None


class Vehicle(Contract):
    """A lorry; ``device_id`` is what its telematics unit calls itself. Without ``in_service_from`` it always
    served, without ``in_service_until`` it still does."""

    key: ClassVar[tuple[str, ...]] = ("vehicle_id",)

    vehicle_id: Id
    license_plate: Text | None = None
    device_id: Id | None = None
    capacity_kg: Quantity | None = None
    in_service_from: Day | None = None
    in_service_until: Day | None = None


class Driver(Contract):
    """Somebody who drives; no more of a person than is needed to tell one from another."""

    key: ClassVar[tuple[str, ...]] = ("driver_id",)

    driver_id: Id
    depot_id: Id | None = None
    is_active: Flag = True


class Trip(Contract):
    """One vehicle's journey over several stops."""

    key: ClassVar[tuple[str, ...]] = ("trip_id",)

    trip_id: Id
    status: OtmStatus
    vehicle_id: Id | None = None
    driver_id: Id | None = None
    driver_count: Whole = Field(default=1, ge=0)
    depot_id: Id | None = None


class RoutePoint(Contract):
    """One point of the way a trip is to take. All points of a route have the route's version: a newer version
    of the route has none of the older one's points."""

    key: ClassVar[tuple[str, ...]] = ("route_id", "sequence_nr")

    route_id: Id
    trip_id: Id | None = None
    sequence_nr: Whole = Field(ge=0)
    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False)
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False)


class Consignment(Contract):
    """What is moved for one order to one place: published as *shipment*. A split or a redelivery names
    its parent."""

    key: ClassVar[tuple[str, ...]] = ("consignment_id",)

    consignment_id: Id
    order_id: Id
    status: OtmStatus
    parent_id: Id | None = None
    relation: Literal["split", "redelivery"] | None = None
    depot_id: Id | None = None
    delivery_location_id: Id | None = None
    carrier_id: Id | None = None
    time_zone: Id | None = None
    cancelled_at: Instant | None = None

    @model_validator(mode="after")
    def _no_own_parent(self) -> Self:
        if self.parent_id == self.consignment_id:
            raise ValueError("a consignment cannot be its own parent")
        return self


class ConsignmentLine(Contract):
    """Goods on a consignment: how much of an order line was loaded; ``sscc`` is the number on the pallet."""

    key: ClassVar[tuple[str, ...]] = ("consignment_line_id",)

    consignment_line_id: Id
    consignment_id: Id
    order_line_id: Id
    item_id: Id
    quantity: Quantity
    uom: Id
    weight_kg: Quantity | None = None
    sscc: Id | None = None


class ConsignmentCharge(Contract):
    """An accessorial (waiting, tail lift …) that the customer is to pay, with the action that proves it."""

    key: ClassVar[tuple[str, ...]] = ("charge_id",)

    charge_id: Id
    consignment_id: Id
    code: Id
    amount: Amount
    currency: Currency
    evidence_action_id: Id | None = None


class Action(Contract):
    """A stop, load, unload or handOver. A failed action is still ``realized``: read the result too.

    ``load`` realized ends with the departure; ``handOver`` realized ends with the delivery; ``stop``
    starts with the arrival and ends with the departure from there.
    """

    key: ClassVar[tuple[str, ...]] = ("action_id",)

    action_id: Id
    action_type: Literal["stop", "load", "unload", "handOver"]
    lifecycle: Literal["requested", "planned", "projected", "actual", "realized"]
    result_status: Literal["succeeded", "failed", "partiallySucceeded", "cancelled"] | None = None
    result_reason: Text | None = None
    trip_id: Id | None = None
    consignment_id: Id | None = None
    stop_id: Id | None = None
    location_id: Id | None = None
    sequence_nr: Whole | None = None
    start_at: Instant | None = None
    end_at: Instant | None = None
    planned_start_at: Instant | None = None
    planned_end_at: Instant | None = None
    free_time_s: Whole | None = Field(default=None, ge=0)
    time_quality: TimeQuality = "exact"
    has_second_driver: Flag = False

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.start_at and self.end_at and self.end_at < self.start_at:
            raise ValueError(f"end_at {self.end_at} before start_at {self.start_at}")
        return self
