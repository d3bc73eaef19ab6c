"""What partners send while a run goes on: new orders, their deliveries, late events, proofs taken back.

Belongs here: messages as the API keeps them, about shipments that the sandbox's world knows. When they come is said by the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import duckdb

from core.clock import utc_now
from core.ids import new_id
from orchestration.platform import Platform
from state import inbox
from state.inbox import Incoming
from state.observations import business_now
from state.vault import seal

_HEAD = """
    SELECT customer_id, currency, company_id, bill_to_id, depot_id, time_zone, po_no, promise_precision,
        ordered_at, confirmed_at, credit_ok_at, first_promised_at, last_promised_at,
        net_total_amount, tax_total_amount, grand_total_amount
    FROM raw_erp.orders WHERE order_id = ?
"""
_LINES = """
    SELECT DISTINCT ON (order_line_id) order_line_id, line_no, item_id, quantity, uom, unit_price_amount, net_amount,
        contract_price_amount, tax_code, tax_rate_percent
    FROM raw_erp.order_lines WHERE order_id = ? AND NOT is_return ORDER BY order_line_id, source_version DESC
"""


class Senders:
    """The partners of one world; each message is another one, a second after the one before."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.sent = 0

    def proof(self, shipment: str, order: str, *, at: datetime | None = None, **changes: Any) -> str:
        """The proof of a delivery with photo and signature, just now unless told; its id."""
        now = business_now(self._platform.engine)
        captured, pod_id = at or now - timedelta(seconds=5), new_id("POD")[:20]
        documents = [
            {"kind": kind, "document_id": seal(self._platform.settings, _picture(f"{kind} {pod_id}"))}
            for kind in ("photo", "signature")
        ]
        body = {
            "pod_id": pod_id, "consignment_id": shipment, "order_id": order, "outcome": "succeeded", "signer": "dock",
            "captured_at": captured.isoformat(), "changed_at": now.isoformat(), "documents": documents,
        }  # fmt: skip
        self._send("sandbox_pod", "proof_of_delivery", body | changes)
        return pod_id

    def delivery(self, shipment: str, order: str, *, at: datetime | None = None) -> str:
        """The load leaves, and is handed over with a proof; the proof's id."""
        left = (at or business_now(self._platform.engine)) - timedelta(minutes=40)
        self.event("waybill.load.completed.v1", left, consignment_id=shipment)
        return self.proof(shipment, order, at=at)

    def event(self, kind: str, at: datetime, **data: Any) -> None:
        """A CloudEvent of dispatch."""
        self._send(
            "sandbox_dispatch",
            "event",
            {
                "specversion": "1.0",
                "id": new_id("e"),
                "source": "/lorries",
                "type": kind,
                "time": at.isoformat(),
                "data": data,
            },
        )

    def case(self, shipment: str, at: datetime) -> None:
        """A case is opened at customer service, that long ago."""
        self._send(
            "sandbox_crm",
            "exception",
            {"event_id": new_id("x"), "exception_id": new_id("X"), "change": "opened", "occurred_at": at.isoformat(),
             "code": "DAMAGED", "severity": "high", "cause_class": "business", "consignment_id": shipment},
        )  # fmt: skip

    def order_like(
        self, warehouse: duckdb.DuckDBPyConnection, order: str
    ) -> tuple[str, str, Callable[[], None]]:
        """A new order as that one; the number of its shipment, its own, and what assigns the shipment to a lorry."""
        number, shipment = f"{order}-{new_id('n')[-6:]}", new_id("CN")[:16]
        now = business_now(self._platform.engine)
        head = warehouse.execute(_HEAD, [order]).to_arrow_table().to_pylist()[-1]
        lines = warehouse.execute(_LINES, [order]).to_arrow_table().to_pylist()
        own = [{**each, "order_line_id": f"{number}|{each['line_no']}"} for each in lines]
        self._send(
            "sandbox_erp",
            "order_release",
            _said({**head, "order_id": number, "changed_at": now, "lines": [_said(each) for each in own]}),
        )
        loaded = [
            {"consignment_line_id": f"{shipment}|{each['line_no']}"}
            | {name: each[name] for name in ("order_line_id", "item_id", "quantity", "uom")}
            for each in own
        ]
        consignment = {
            "consignment_id": shipment,
            "order_id": number,
            "lines": [_said(each) for each in loaded],
        }
        trip = {
            "trip_id": new_id("T")[:16],
            "status": "confirmed",
            "changed_at": now.isoformat(),
            "consignments": [consignment],
        }
        return shipment, number, partial(self._send, "sandbox_dispatch", "route_assignment", trip)

    def _send(self, partner: str, kind: str, body: Mapping[str, Any]) -> None:
        name = new_id("m")
        message = Incoming(
            partner, name, "api", kind, "application/json", json.dumps(body).encode(), name, utc_now()
        )
        (accepted,) = inbox.accept(self._platform.engine, [message])
        assert accepted.outcome == "accepted"
        self.sent += 1


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a message says them: amounts and instants as texts, nothing where nothing is known."""
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else value
        if isinstance(value, str | int | bool | list)
        else str(value)
        for name, value in fields.items()
        if value is not None
    }


def _picture(words: str) -> bytes:
    """Bytes that begin as a PNG does: what it shows is nobody's business here."""
    return b"\x89PNG\r\n\x1a\n" + words.encode()
