"""What carriers charge."""

from __future__ import annotations

from typing import ClassVar

from contracts.base import Amount, Contract, Currency, Id, Instant, Text


class FreightCharge(Contract):
    """One amount a carrier asks for moving an order or a shipment."""

    key: ClassVar[tuple[str, ...]] = ("freight_charge_id",)

    freight_charge_id: Id
    amount: Amount
    currency: Currency
    charged_at: Instant
    order_id: Id | None = None
    consignment_id: Id | None = None
    carrier_id: Id | None = None
    basis: Text | None = None
