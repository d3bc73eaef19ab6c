"""One example of every message, for the descriptions: each keeps its contract."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-13T10:15:00Z"
_EVENT = {
    "specversion": "1.0", "id": "e-1", "source": "/carriers/north", "time": _AT,
    "type": "waybill.stop.arrived.v1", "data": {"consignment_id": "SH-1001", "stop_id": "ST-7"},
}  # fmt: skip

EXAMPLES: dict[str, Any] = {
    "OrderRelease": {
        "order_id": "SO-1001", "customer_id": "C-17", "currency": "EUR", "ordered_at": "2026-11-10T08:00:00Z",
        "changed_at": "2026-11-10T08:30:00Z", "first_promised_at": "2026-11-13T12:00:00Z",
        "net_total_amount": "125.00", "tax_total_amount": "23.75", "grand_total_amount": "148.75",
        "lines": [
            {
                "order_line_id": "SO-1001-1", "line_no": 1, "item_id": "PALLET", "quantity": "10", "uom": "EA",
                "unit_price_amount": "12.50", "net_amount": "125.00",
            }
        ],
    },
    "RouteAssignment": {
        "trip_id": "T-42", "status": "confirmed", "changed_at": "2026-11-12T18:00:00Z", "vehicle_id": "V-3",
        "consignments": [
            {
                "consignment_id": "SH-1001", "order_id": "SO-1001", "delivery_location_id": "L-9",
                "lines": [
                    {
                        "consignment_line_id": "SH-1001-1", "order_line_id": "SO-1001-1", "item_id": "PALLET",
                        "quantity": "10", "uom": "EA",
                    }
                ],
            }
        ],
        "stops": [
            {
                "action_id": "A-1", "action_type": "handOver", "sequence_nr": 1, "stop_id": "ST-7",
                "consignment_id": "SH-1001", "planned_start_at": "2026-11-13T10:00:00Z",
            }
        ],
    },
    "ProofOfDeliveryMessage": {
        "pod_id": "P-1001", "consignment_id": "SH-1001", "order_id": "SO-1001", "outcome": "succeeded",
        "captured_at": _AT, "changed_at": _AT, "signer": "reception",
        "lines": [{"pod_line_id": "P-1001-1", "item_id": "PALLET", "quantity": "10", "uom": "EA"}],
        "documents": [
            {"document_id": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "kind": "signature"}
        ],
    },
    "FreightCost": {
        "freight_charge_id": "F-1", "amount": "48.20", "currency": "EUR", "charged_at": _AT, "changed_at": _AT,
        "consignment_id": "SH-1001", "carrier_id": "NORTH",
    },
    "ExceptionChange": {
        "event_id": "X-1-1", "exception_id": "X-1", "change": "opened", "occurred_at": _AT, "code": "DAMAGED",
        "severity": "high", "cause_class": "business", "consignment_id": "SH-1001",
    },
    "CloudEvent": _EVENT,
    "CloudEventBatch": [
        _EVENT,
        _EVENT | {
            "id": "e-2", "type": "waybill.eta.updated.v1",
            "data": {"consignment_id": "SH-1002", "issuer": "carrier", "eta_at": "2026-11-13T13:40:00Z"},
        },
    ],
    "OnfleetWebhook": {"taskId": "kQ5tDD5bQwkNzVnWUVqsFR8b", "triggerId": 3, "time": 1_762_942_500_000, "data": {}},
    "SamsaraWebhook": {
        "eventId": "017db07f-6e95-470e-8cc0-a371f9deed2b", "eventType": "RouteStopDeparture", "eventTime": _AT,
        "data": {},
    },
    "MotiveWebhook": {"action": "vehicle_location_updated", "id": "5d3d5cf6", "vehicle_id": 123, "located_at": _AT},
    "EasyPostWebhook": {"id": "evt_1", "description": "tracker.updated", "mode": "production", "result": {}},
    "StandardWebhook": {"type": "waybill.stop.arrived.v1", "timestamp": _AT, "data": {"stop_id": "ST-7"}},
}  # fmt: skip
