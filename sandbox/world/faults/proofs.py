"""What can be wrong with a proof of delivery in the main POD app."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.world.faults.registry import kind
from sandbox.world.model import Case
from sandbox.world.moments import ms
from sandbox.world.store import Documents


def _pod(**changes: Any) -> Any:
    def after(case: Case) -> None:
        case.shipment.pods = [replace(pod, **changes) for pod in case.shipment.pods]

    return after


def _told(name: str, value: Any) -> Any:
    """Sets one metadata entry; ``value`` may be made from the case."""

    kinds = {bool: "boolean", int: "number"}

    def patch(case: Case, documents: Documents) -> None:
        told = value(case) if callable(value) else value

        def change(body: dict[str, Any]) -> None:
            body["metadata"] = [each for each in body["metadata"] if each["name"] != name]
            body["metadata"].append({"name": name, "type": kinds.get(type(told), "string"), "value": told})

        documents.edit("pod", "tasks", case.shipment.pods[0].id, change)

    return patch


def _deliver(case: Case, more: int, outcome: str = "succeeded") -> None:
    pod = case.shipment.pods[0]
    first = next(iter(pod.delivered))
    pod.delivered[first] += more
    pod.outcome = outcome


def _over(case: Case) -> None:
    first = next(iter(case.shipment.goods))
    case.shipment.goods[first] -= 2
    case.shipment.pods[0].delivered[first] = case.shipment.goods[first] + 2


def _over_ordered(case: Case) -> None:
    first = next(iter(case.shipment.goods))
    case.shipment.goods[first] += 5
    case.shipment.pods[0].delivered[first] += 5


def _short(case: Case) -> None:
    case.order.customer.more["custom_allow_partial"] = 0
    _deliver(case, -2, "partiallySucceeded")


def _early(case: Case) -> None:
    departed = case.shipment.departed
    assert departed
    case.shipment.pods[0].captured = departed - timedelta(hours=2)


def _conflict(case: Case) -> None:
    first = case.shipment.pods[0]
    fewer = {line: max(1, count - 2) for line, count in first.delivered.items()}
    second = replace(
        first,
        id=f"{first.id}-B",
        captured=first.captured + timedelta(minutes=5),
        delivered=fewer,
        outcome="partiallySucceeded",
    )
    case.shipment.pods.append(second)


def _line(name: str, value: str) -> Any:
    def patch(case: Case, documents: Documents) -> None:
        def change(body: dict[str, Any]) -> None:
            for each in body["metadata"]:
                if each["name"] == "delivered_lines":
                    lines = json.loads(each["value"])
                    lines[0][name] = value
                    each["value"] = json.dumps(lines)

        documents.edit("pod", "tasks", case.shipment.pods[0].id, change)

    return patch


def _no_photo(case: Case) -> None:
    case.order.customer.more["custom_pod_photo_required"] = 1
    case.shipment.pods = [replace(pod, photo=None) for pod in case.shipment.pods]


def _charge(case: Case) -> None:
    case.shipment.charges.append(
        {
            "id": f"CH-{case.shipment.id}",
            "code": "WAITING",
            "amount": "40",
            "currency": case.order.currency,
            "evidenceActionId": None,
        }
    )


kind(name="no proof", system="pod", codes=("POD_MISSING",), after=lambda case: case.shipment.pods.clear())
kind(
    name="voided",
    system="pod",
    codes=("POD_VOIDED",),
    patch=_told("voided_at", lambda case: ms(case.shipment.pods[0].received)),
)
kind(
    name="failed, yet handed over",
    system="pod",
    codes=("POD_NOT_REALIZED_OK",),
    after=_pod(outcome="failed", delivered={}, reason="REFUSED"),
)
kind(name="before dispatch", system="pod", codes=("POD_BEFORE_DISPATCH",), after=_early)
kind(
    name="another order's",
    system="pod",
    codes=("POD_WRONG_CONSIGNMENT",),
    patch=_told("order_id", "SO-00001"),
)
kind(
    name="hash differs",
    system="pod",
    codes=("POD_DOCUMENT_REQUIRED", "POD_HASH_MISMATCH"),
    letter=("sandbox_pod", "evidence", "EVIDENCE_HASH_MISMATCH"),
    patch=_told("evidence_sha256", lambda case: json.dumps({case.shipment.pods[0].signature: "0" * 64})),
)
kind(name="damage", system="pod", codes=("OPEN_DAMAGE_OR_SHORTAGE",), patch=_told("damage", True))
kind(name="conflicting", system="pod", codes=("POD_SUPERSEDED",), after=_conflict)
kind(name="photo missing", system="pod", codes=("POD_DOCUMENT_REQUIRED",), after=_no_photo)
kind(name="over delivered", system="pod", codes=("QTY_OVER_DELIVERED",), after=_over)
kind(name="over ordered", system="pod", codes=("QTY_OVER_ORDERED_CUMULATIVE",), after=_over_ordered)
kind(name="nothing delivered", system="pod", codes=("NOTHING_DELIVERED",), after=_pod(delivered={}))
kind(name="partial not allowed", system="pod", codes=("PARTIAL_NOT_ALLOWED",), after=_short)
kind(name="unknown unit", system="pod", codes=("UOM_UNCONVERTIBLE",), patch=_line("uom", "Crate"))
kind(name="charge without proof", system="dispatch", codes=("ACCESSORIAL_NO_EVIDENCE",), prepare=_charge)
kind(
    name="far away",
    system="pod",
    warns=("POD_GEO_MISMATCH",),
    after=lambda case: setattr(case.shipment.pods[0], "lat", case.shipment.pods[0].lat + 0.05),
)
