"""An API over a home with a few published shipments and partners, and what a test needs to speak to it.

Partners: ``pod_app`` reaches the shipments of ``dispatch_house``; ``carrier_north`` those that go with the carrier NORTH;
``carrier_south`` those with SOUTH; ``fleet`` is a telematics system; ``dispatch_house`` and ``erp_house`` have their own.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from fastapi.testclient import TestClient
from pydantic import SecretStr

from api.app import create_app
from api.rates import Rates
from contracts.kpi import KpiValue
from core.clock import utc_now
from core.ids import surrogate_uuid
from core.settings import Settings
from state import inbox, keys, webhook_secrets
from state.inbox import Message
from state.keys import SCOPES, Scope

AT = "2026-11-13T10:15:00Z"
MASTER_KEY = base64.b64encode(b"k" * 32).decode()
_numbers: Iterator[int] = itertools.count()
UNCOUNTED = Rates(*[1_000_000] * 3)
"""Tests send more in a minute than anybody may."""

_PARTNERS = {
    "pod_app": ("pod", "reach: {connections: [dispatch_house]}"),
    "carrier_north": ("carrier", "reach: {carriers: [NORTH]}"),
    "carrier_south": ("carrier", "reach: {carriers: [SOUTH]}"),
    "fleet": ("telematics", ""),
    "dispatch_house": ("dispatch", "reach: {connections: [erp_house]}"),
    "erp_house": ("erp", ""),
    "gone": ("pod", "lifecycle: retired"),
}
_SHIPMENTS = {"SH-1": ("SO-1", "NORTH"), "SH-2": ("SO-2", "SOUTH"), "SH-3": ("SO-3", None)}
_INSTANTS = (
    "departed_at", "arrived_at", "delivered_at", "promised_at", "cancelled_at", "first_invoice_posted_at", "ordered_at",
    "confirmed_at", "released_at", "pod_captured_at", "pod_received_at", "first_decided_at", "gate_released_at", "as_of",
)  # fmt: skip


@dataclass
class World:
    """One application, and keys as they are asked for."""

    settings: Settings
    client: TestClient
    _tokens: dict[tuple[str, tuple[Scope, ...]], str] = field(default_factory=dict)

    @property
    def gateway(self) -> Any:
        return self.client.app.state.gateway  # type: ignore[attr-defined]

    @property
    def engine(self) -> Any:
        return self.gateway.engine

    def token(self, partner: str, *scopes: Scope) -> str:
        """A key of a partner with these scopes, or with all."""
        wanted = (partner, scopes or SCOPES)
        if wanted not in self._tokens:
            made = keys.create(self.engine, partner, wanted[1], timedelta(days=30), "admin", utc_now())
            self._tokens[wanted] = made[1].get_secret_value()
        return self._tokens[wanted]

    def key(self, partner: str, *scopes: Scope) -> dict[str, str]:
        """The header with such a key."""
        return {"Authorization": f"Bearer {self.token(partner, *scopes)}"}

    def post(self, path: str, partner: str, body: Any, **more: str) -> Any:
        """A message with a key of its own; ``more`` are further headers, with ``_`` for ``-``."""
        headers = {"Idempotency-Key": f"m-{next(_numbers)}"} | {
            name.replace("_", "-"): v for name, v in more.items()
        }
        content = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.client.post(path, headers=self.key(partner) | headers, **content)

    def waiting(self) -> list[Message]:
        """Everything that the inbox holds unsettled, of all partners."""
        return [
            each for name in self.gateway.connections for each in inbox.unsettled(self.engine, name, 10_000)
        ]

    def secret(self, partner: str, vendor: str, value: str) -> None:
        """Keep a webhook secret, once."""
        if value not in [e.get_secret_value() for e in webhook_secrets.live(self.engine, partner, vendor)]:
            webhook_secrets.add(self.engine, partner, vendor, SecretStr(value), "admin", utc_now())


def make_world(folder: Path, state_url: SecretStr | None = None, rates: Rates | None = None) -> World:
    """A home, its connection files and its serving copy; the environment has to hold ``WAYBILL_SECRETS_KEY``."""
    partners = folder / "connections"
    partners.mkdir(parents=True)
    for name, (kind, more) in _PARTNERS.items():
        text = f"connection: {name}\nkind: {kind}\nadapter: files\nowner: somebody\n{more}\n"
        (partners / f"{name}.yaml").write_text(text)
    settings = Settings(home=folder / "home", connections=partners, state_url=state_url)
    publish(settings)
    client = TestClient(
        create_app(settings, rates or UNCOUNTED),
        base_url="http://127.0.0.1:8600",
        raise_server_exceptions=False,
    )
    return World(settings, client)


def publish(settings: Settings) -> None:
    """A serving copy of three shipments of dispatch_house, each with its stop."""
    settings.serving.parent.mkdir(parents=True, exist_ok=True)
    instant = datetime(2026, 11, 13, 10, tzinfo=UTC)
    fresh = settings.serving.with_suffix(".new")
    with duckdb.connect(str(fresh)) as copy:
        copy.execute("SET TimeZone = 'UTC'")
        instants = ", ".join(f"{name} TIMESTAMPTZ" for name in _INSTANTS)
        copy.execute(
            "CREATE TABLE fct_shipments (shipment_id TEXT, shipment_no TEXT, source_system TEXT, order_no TEXT, order_connection TEXT, "
            "carrier_id TEXT, customer_id TEXT, status TEXT, is_delivered BOOLEAN, is_on_time BOOLEAN, "
            f"is_in_full BOOLEAN, pod_outcome TEXT, gate_verdict TEXT, {instants})"
        )
        copy.execute(
            f"CREATE TABLE kpi_values ({', '.join(f'{name} TEXT' for name in KpiValue.model_fields)})"
        )
        copy.execute(
            "CREATE TABLE fct_stops (stop_id TEXT, trip_id TEXT, source_system TEXT, carrier_id TEXT, customer_id TEXT)"
        )
        for number, (order, carrier) in _SHIPMENTS.items():
            copy.execute(
                "INSERT INTO fct_shipments (shipment_id, shipment_no, source_system, order_no, order_connection, carrier_id, status, "
                "is_delivered, departed_at, delivered_at, as_of) "
                "VALUES ($5, $1, 'dispatch_house', $2, 'erp_house', $3, 'completed', true, $4, $4, $4)",
                [number, order, carrier, instant, surrogate_uuid("dispatch_house", number)],
            )
            row = [f"ST-{number}", f"T-{number}", carrier]
            copy.execute("INSERT INTO fct_stops VALUES ($1, $2, 'dispatch_house', $3, NULL)", row)
    fresh.replace(settings.serving)


def cost(shipment: str = "SH-1", **changes: Any) -> dict[str, Any]:
    """A freight cost."""
    return {
        "freight_charge_id": f"F-{next(_numbers)}", "amount": "48.20", "currency": "EUR", "charged_at": AT,
        "changed_at": AT, "consignment_id": shipment,
    } | changes  # fmt: skip


def proof(shipment: str = "SH-1", **changes: Any) -> dict[str, Any]:
    """A proof of delivery."""
    return {
        "pod_id": f"P-{next(_numbers)}", "consignment_id": shipment, "outcome": "succeeded", "captured_at": AT,
        "changed_at": AT, "lines": [{"pod_line_id": "L-1", "item_id": "PALLET", "quantity": "10", "uom": "EA"}],
    } | changes  # fmt: skip


def event(
    kind: str = "waybill.stop.arrived.v1", data: dict[str, Any] | None = None, **changes: Any
) -> dict[str, Any]:
    """A CloudEvent."""
    return {
        "specversion": "1.0", "id": f"e-{next(_numbers)}", "source": "/lorries", "time": AT, "type": kind,
        "data": data or {"consignment_id": "SH-1", "stop_id": "ST-1"},
    } | changes  # fmt: skip
