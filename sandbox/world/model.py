"""What there is in the world, in nobody's dialect. Amounts are Decimal, instants aware UTC, ids text."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from sandbox.world.happenings import Eta, Freight, Harsh, Lorry, Scan, Trouble, Visit


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up to 2 decimals, to 0 for yen."""
    return amount.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Company:
    id: str
    name: str
    currency: str
    zone: str
    country: str
    closed_until: date | None = None
    vat_id: str | None = None


@dataclass
class CostCentre:
    id: str
    name: str
    company: str
    is_active: bool = True


@dataclass
class Depot:
    id: str
    name: str
    company: str
    zone: str
    lat: float
    lon: float
    region: str
    tax_code: str
    un_code: str


@dataclass
class Customer:
    id: str
    name: str
    depot: str
    lat: float
    lon: float
    country: str
    region: str
    currency: str
    more: dict[str, Any] = field(default_factory=dict)
    """Fields of the ERP's document that differ from the usual."""

    @property
    def number(self) -> int:
        return int(self.id.removeprefix("CUST-"))

    @property
    def free_time_s(self) -> int:
        """How long a lorry may stand there without being paid for it."""
        return (900, 1200, 1800)[int(self.id[-4:]) % 3]

    @property
    def vat_id(self) -> str | None:
        """Where there is VAT; the nine digits are nobody's."""
        return f"{self.country}9{self.number:08d}" if self.country in ("DE", "PT") else None


@dataclass
class Item:
    id: str
    name: str
    uom: str
    price: Decimal
    weight: Decimal
    is_food: bool = False
    booked_by: tuple[str, ...] | None = None
    """The companies that have an account for it; None: all."""


@dataclass
class Line:
    id: str
    item: Item
    quantity: int
    price: Decimal
    tax_code: str | None
    tax_rate: Decimal


@dataclass
class Pod:
    id: str
    captured: datetime
    received: datetime
    outcome: str
    delivered: dict[str, int]
    lat: float
    lon: float
    signature: str | None
    photo: str | None
    reason: str = ""
    supersedes: str | None = None


@dataclass
class Shipment:
    id: str
    order: Order
    goods: dict[str, int]
    """Loaded quantity by order line id."""
    allocated: datetime
    relation: str | None = None
    parent: str | None = None
    trip: Trip | None = None
    arrived: datetime | None = None
    delivered: datetime | None = None
    is_failed: bool = False
    cancelled: datetime | None = None
    pods: list[Pod] = field(default_factory=list)
    charges: list[dict[str, Any]] = field(default_factory=list)
    is_billed_by_hand: bool = False
    fault: str | None = None

    @property
    def departed(self) -> datetime | None:
        return self.trip.departed if self.trip else None

    @property
    def carrier(self) -> str:
        """Who drives it: Lisbon has no lorries of its own, Chicago gives away every third load."""
        depot = self.order.depot.id
        if depot == "LIS":
            return "CAR-IBERIA"
        return "CAR-LAKES" if depot == "CHI" and int(self.order.id[-5:]) % 3 == 0 else "WB-FLEET"


@dataclass
class Order:
    id: str
    customer: Customer
    depot: Depot
    company: str
    currency: str
    ordered: datetime
    confirmed: datetime
    credit_ok: datetime
    lines: list[Line]
    po_no: str
    promised_from: datetime | None
    promised: datetime
    precision: str
    shipments: list[Shipment] = field(default_factory=list)
    cancelled: datetime | None = None
    more: dict[str, Any] = field(default_factory=dict)
    fault: str | None = None

    def totals(self) -> tuple[Decimal, Decimal]:
        return totals([(line, Decimal(line.quantity)) for line in self.lines], self.currency)


@dataclass
class Trip:
    id: str
    depot: Depot
    vehicle: str
    driver: str
    departed: datetime
    back: datetime
    shipments: list[Shipment]

    @property
    def planned(self) -> datetime:
        return self.departed - timedelta(hours=1)


@dataclass
class Invoice:
    id: str
    shipment: Shipment
    posted: datetime
    quantities: dict[str, int]
    factor: Decimal = Decimal(1)
    credits: str | None = None
    names: Literal["shipment", "order"] | None = "shipment"
    """What it says it is for."""


@dataclass
class Case:
    """One planted fault: its kind, and the order and shipment that carry it."""

    kind: Any
    order: Order
    shipment: Shipment
    invoices: list[Invoice] = field(default_factory=list)
    """What people billed for it."""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(self.kind.codes)

    @property
    def warns(self) -> tuple[str, ...]:
        return tuple(self.kind.warns)

    @property
    def is_lost(self) -> bool:
        return bool(self.kind.is_lost)

    @property
    def letter(self) -> dict[str, Any] | None:
        if not self.kind.letter:
            return None
        connection, resource, reason = self.kind.letter
        return {
            "connection": connection,
            "resource": resource,
            "source_id": self.order.id,
            "reason": reason,
            "fault": self.kind.name,
        }


@dataclass
class World:
    seed: int
    orders: list[Order]
    companies: list[Company]
    depots: list[Depot]
    customers: list[Customer]
    items: list[Item]
    trips: list[Trip]
    vehicles: dict[str, str]
    """Device by vehicle."""
    invoices: list[Invoice]
    cases: list[Case] = field(default_factory=list)
    lorries: list[Lorry] = field(default_factory=list)
    etas: list[Eta] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    freight: list[Freight] = field(default_factory=list)
    harsh: list[Harsh] = field(default_factory=list)

    @property
    def shipments(self) -> list[Shipment]:
        return [shipment for order in self.orders for shipment in order.shipments]

    @property
    def hand_invoices(self) -> list[Invoice]:
        """All that people made, those of the planted cases too."""
        return [*self.invoices, *(invoice for case in self.cases for invoice in case.invoices)]


def totals(parts: list[tuple[Line, Decimal]], currency: str) -> tuple[Decimal, Decimal]:
    """Net and tax of quantities of lines: each line rounded, tax rounded once per rate over its net."""
    net, by_rate = Decimal(0), dict[Decimal, Decimal]()
    for line, quantity in parts:
        amount = rounded(quantity * line.price, currency)
        net += amount
        by_rate[line.tax_rate] = by_rate.get(line.tax_rate, Decimal(0)) + amount
    return net, sum((rounded(value * rate / 100, currency) for rate, value in by_rate.items()), Decimal(0))
