"""Lorries that have left, as partners tell it: what a proof of delivery needs before it can be billed.

Belongs here: orders, routes and departures in the inbox, modelled on an order that was billed. Their proofs are the caller's.
"""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Engine

from cli.live import DISPATCH, Delivery
from core.clock import utc_now
from core.ids import new_id
from core.settings import Settings
from core.warehouse import open_warehouse
from state import inbox
from state.inbox import Incoming
from state.observations import business_now

ERP = "sandbox_erp"


def depart(settings: Settings, engine: Engine, count: int) -> list[Delivery]:
    """Orders, routes and departures as partners would send them, modelled on an order that was billed."""
    order, line = _model(settings)
    at = business_now(engine) - timedelta(hours=3)
    deliveries = []
    for number in range(count):
        each = Delivery(f"EVC-{number:05d}", f"EVO-{number:05d}", new_id("POD")[:20])
        deliveries.append(each)
        line_no = f"{each.order_no}-1"
        # Each of another amount, so that none looks like a second invoice for the same.
        quantity = Decimal(10 + number)
        net = (quantity * line["unit_price_amount"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        tax = (net * line["tax_rate_percent"] / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        goods = {"item_id": line["item_id"], "quantity": str(quantity), "uom": line["uom"]}
        release = {
            name: order[name] for name in ("customer_id", "currency", "company_id", "bill_to_id", "depot_id", "time_zone")
        } | {
            "order_id": each.order_no, "ordered_at": at - timedelta(hours=9), "changed_at": at, "po_no": f"PO-{number}",
            "confirmed_at": at - timedelta(hours=8), "credit_ok_at": at - timedelta(hours=7),
            "first_promised_at": at + timedelta(hours=9), "last_promised_at": at + timedelta(hours=9),
            "net_total_amount": str(net), "tax_total_amount": str(tax), "grand_total_amount": str(net + tax),
            "lines": [goods | {
                "order_line_id": line_no, "line_no": 1, "unit_price_amount": str(line["unit_price_amount"]),
                "net_amount": str(net), "tax_code": line["tax_code"], "tax_rate_percent": str(line["tax_rate_percent"]),
            }],
        }  # fmt: skip
        route = {
            "trip_id": f"EVT-{number:05d}", "status": "inTransit", "changed_at": at, "depot_id": order["depot_id"],
            "consignments": [{
                "consignment_id": each.shipment_no, "order_id": each.order_no, "status": "inTransit",
                "depot_id": order["depot_id"], "time_zone": order["time_zone"],
                "lines": [goods | {"consignment_line_id": f"{each.shipment_no}-1", "order_line_id": line_no}],
            }],
        }  # fmt: skip
        left = {
            "specversion": "1.0", "id": new_id("event"), "source": "/bench", "type": "waybill.load.completed.v1",
            "time": at, "data": {"consignment_id": each.shipment_no},
        }  # fmt: skip
        inbox.accept(
            engine,
            [
                _message(ERP, "order_release", release),
                _message(DISPATCH, "route_assignment", route),
                _message(DISPATCH, "event", left),
            ],
        )
    return deliveries


def _model(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """An order of the sandbox that Waybill has billed, and its first line."""
    with open_warehouse(settings, "an order to go by") as warehouse:
        order, line = (
            warehouse.execute(sql).to_arrow_table().to_pylist()[0]
            for sql in (
                f"SELECT orders.* FROM raw_erp.orders AS orders JOIN raw_ledger.receipts AS receipts "
                f"ON receipts.order_no = orders.order_id WHERE orders.source_system = '{ERP}' "
                "AND orders.currency = 'EUR' ORDER BY orders.order_id LIMIT 1",
                f"SELECT lines.* FROM raw_erp.order_lines AS lines JOIN raw_ledger.receipts AS receipts "
                f"ON receipts.order_no = lines.order_id WHERE lines.source_system = '{ERP}' "
                "AND receipts.currency = 'EUR' ORDER BY lines.order_id, lines.line_no LIMIT 1",
            )
        )
    return order, line


def _message(partner: str, kind: str, body: dict[str, Any]) -> Incoming:
    text = json.dumps({name: value for name, value in body.items() if value is not None}, default=_text)
    return Incoming(
        partner, new_id("bench"), "api", kind, "application/json", text.encode(), new_id("trace"), utc_now()
    )


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
