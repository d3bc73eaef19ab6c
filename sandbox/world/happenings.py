"""What is told beside orders, trips and invoices: lorries and their driving, predictions, workshop visits, troubles,
scans, freight.

In nobody's dialect, like model.py. Instants are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sandbox.world.model import Depot, Shipment, Trip


@dataclass
class Lorry:
    id: str
    device: str
    capacity_kg: int
    in_service_from: date
    in_service_until: date | None = None


@dataclass
class Eta:
    """When ``issuer`` expected a trip's stop ``nr`` to be reached, as told at ``issued``."""

    id: str
    trip: Trip
    nr: int
    issuer: str
    issued: datetime
    expected: datetime

    @property
    def shipment(self) -> Shipment:
        return self.trip.shipments[self.nr - 1]


@dataclass
class Visit:
    """A lorry in the workshop; without ``ended`` it is still there, without ``started`` it never came."""

    id: str
    vehicle: str
    kind: str
    status: str
    started: datetime | None
    ended: datetime | None
    written: datetime


@dataclass
class Change:
    """A turn in a case of the case system: opened, paused, resumed, resolved or reopened."""

    word: str
    occurred: datetime
    detected: datetime
    is_for_customer: bool = False


@dataclass
class Trouble:
    """One case: what went wrong with a shipment, and its turns."""

    id: str
    shipment: Shipment
    code: str
    severity: str
    cause: str
    changes: list[Change] = field(default_factory=list)
    repeats: str | None = None
    """The case that was open for the same reason when this one was opened too."""


@dataclass
class Scan:
    """What a warehouse's scanner saw of a load; ``wrong`` tells when and why it was declared an error."""

    id: str
    shipment: Shipment
    depot: Depot
    step: str
    disposition: str
    status_code: str | None
    occurred: datetime
    recorded: datetime
    reason: str | None = None
    wrong: tuple[datetime, str, tuple[str, ...]] | None = None


@dataclass
class Freight:
    """One line of a carrier's statement; ``evidence`` is the scan that shows the load leaving."""

    id: str
    shipment: Shipment
    basis: str
    amount: Decimal
    currency: str
    stated: datetime
    cost_centre: str
    evidence: Scan | None


@dataclass
class Harsh:
    """What a unit noticed of the driving at ``started`` and told at ``told``; ``speed_kmh`` where it is about speed."""

    id: str
    trip: Trip
    label: str
    started: datetime
    told: datetime
    lat: float
    lon: float
    g_force: float
    speed_kmh: int | None
