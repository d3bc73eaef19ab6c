"""Carriers, and what they charge."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Amount, Contract, Currency, Flag, Id, Instant, Text


class Carrier(Contract):
    """Somebody who moves shipments for us."""

    key: ClassVar[tuple[str, ...]] = ("carrier_id",)

    carrier_id: Id
    name: Text
    is_active: Flag = True


class FreightCharge(Contract):
    """One amount a carrier asks for moving an order or a shipment; ``evidence_event_id`` names the delivery event
    that proves it, ``cost_centre_id`` who bears it."""

    key: ClassVar[tuple[str, ...]] = ("freight_charge_id",)

    freight_charge_id: Id
    amount: Amount
    currency: Currency
    charged_at: Instant
    order_id: Id | None = None
    consignment_id: Id | None = None
    carrier_id: Id | None = None
    basis: Text | None = None
    evidence_event_id: Id | None = None
    cost_centre_id: Id | None = None
