"""Rows that name what nobody knows: while they are young they wait for it, after that they are refused."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.faults.refused_erp import ORDERS, stray_line, stray_order
from sandbox.world.faults.refused_proofs import DEPOT_PROOFS, PROOFS, stray_delivery, stray_task
from sandbox.world.model import World
from sandbox.world.moments import NOW
from sandbox.world.store import Body, Documents

_DAY = timedelta(days=1)


def plant(world: World, documents: Documents, outcomes: Outcomes) -> None:
    """An order waits for its customer a day, a proof for its shipment three."""

    def order(name: str, at: datetime) -> tuple[str, str, str, Body]:
        return "erp", "Sales Order", ORDERS, stray_order(name, "CUST-NOBODY", at, items=[stray_line(name)])

    def task(name: str, at: datetime) -> tuple[str, str, str, Body]:
        return "pod", "tasks", PROOFS, stray_task(name, at)

    def delivery(name: str, at: datetime) -> tuple[str, str, str, Body]:
        return "depot_pod", "deliveries", DEPOT_PROOFS, stray_delivery(name, at)

    for make, prefix, what, patience in (
        (order, "SO-ZZ-W", "customer", _DAY),
        (task, "ZZ-POD-W", "shipment", 3 * _DAY),
        (delivery, "ZZ-POD-D", "shipment", 3 * _DAY),
    ):
        for word, age in (("young", patience / 2), ("old", patience + timedelta(hours=8))):
            name, moment = f"{prefix}-{word}", NOW - age
            system, collection, resource, body = make(name, moment)
            documents.stray(system, collection, name, moment, body)
            fault = f"unknown {what}, {word}"
            if word == "young":
                outcomes.waits(resource, name, fault)
            else:
                outcomes.refused(resource, name, "UNKNOWN_PARENT", fault)
