"""Items and charges on which the systems disagree, or that the books do not know."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sandbox.world import masters
from sandbox.world.faults.registry import kind
from sandbox.world.model import Case
from sandbox.world.store import Documents


def _item_booked_by(*companies: str) -> Callable[[Case], None]:
    """An item of its own, so that no other order is touched."""

    def prepare(case: Case) -> None:
        first, *others = case.order.lines
        item = replace(first.item, id=f"ITEM-{case.order.id[3:]}", name="Sample box", booked_by=companies)
        case.order.lines = [replace(first, item=item), *others]

    return prepare


def _charge_told_twice(case: Case) -> None:
    """One charge under one id with two amounts: nobody can know which one holds."""
    for amount in ("40", "45"):
        case.shipment.charges.append(
            {
                "id": f"CH-{case.shipment.id}",
                "code": "WAITING",
                "amount": amount,
                "currency": case.order.currency,
                "evidenceActionId": f"A-{case.shipment.id[3:]}-handOver",
            }
        )


def _foreign_item(case: Case, documents: Documents) -> None:
    """The receiver signs for something that nobody ordered, on top of everything ordered."""
    ordered = {line.item.id for line in case.order.lines}
    item = next(each for each in masters.items() if each.id not in ordered)

    def change(body: dict[str, Any]) -> None:
        for told in body["metadata"]:
            if told["name"] == "delivered_lines":
                lines = json.loads(told["value"])
                more = {"id": f"{body['id']}-X", "item_id": item.id, "quantity": "3", "uom": item.uom}
                told["value"] = json.dumps([*lines, more])

    documents.edit("pod", "tasks", case.shipment.pods[0].id, change)


kind(name="item without an account", system="erp", codes=("GL_MAPPING_MISSING",), prepare=_item_booked_by())
kind(
    name="item that only a sister company books",
    system="erp",
    codes=("GL_MAPPING_MISSING",),
    prepare=_item_booked_by("WBUS"),
)
kind(
    name="charge with two amounts",
    system="dispatch",
    codes=("MASTER_DATA_CONFLICT",),
    letter=("sandbox_dispatch", "consignment_charges", "VERSION_CONFLICT"),
    letter_count=2,
    prepare=_charge_told_twice,
)
kind(name="item not ordered", system="pod", codes=("ITEM_NOT_ON_ORDER",), patch=_foreign_item)
