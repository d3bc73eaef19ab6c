"""Dispatch entities that nothing can be made of, and two that are kept and marked."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sandbox.world.dialects import otm5
from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.model import World
from sandbox.world.moments import NOW, iso
from sandbox.world.store import Body, Documents

_AT = NOW - timedelta(hours=5)
_EARLIER = _AT - timedelta(hours=1)
_CONSIGNMENTS: tuple[tuple[str, dict[str, Any], dict[str, Any], str], ...] = (
    ("unknown status", {"status": "teleported"}, {}, "STATUS_UNKNOWN"),
    ("no order", {}, {"orderId": None}, "FIELD_MISSING"),
    ("its own parent", {}, {"parentId": "ZZ-C3"}, "CYCLE"),
    ("parent of its parent", {}, {"parentId": "ZZ-C5"}, "CYCLE"),
    ("child of its child", {}, {"parentId": "ZZ-C4"}, "CYCLE"),
)
_ACTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("end before start", {"startTime": iso(_AT), "endTime": iso(_EARLIER)}, "END_BEFORE_START"),
    ("year 1", {"startTime": "0001-01-01T00:00:00Z"}, "TIME_INVALID"),
    ("year 9999", {"endTime": "9999-12-31T23:59:59Z"}, "TIME_INVALID"),
    ("1970", {"startTime": "1970-01-01T00:00:00Z"}, "TIME_INVALID"),
    ("seconds since 1970 for a time", {"startTime": int(_AT.timestamp())}, "TIME_INVALID"),
    ("time without a zone, and none is known", {"endTime": iso(_AT).removesuffix("Z")}, "TIME_NO_ZONE"),
    ("unknown lifecycle", {"lifecycle": "dreamt"}, "STATUS_UNKNOWN"),
)


def plant(world: World, documents: Documents, outcomes: Outcomes) -> None:
    for number, (fault, changes, more, reason) in enumerate(_CONSIGNMENTS, 1):
        name = f"ZZ-C{number}"
        documents.stray("dispatch", "consignments", name, _AT, _consignment(name, changes, more))
        outcomes.refused("sandbox_dispatch.consignments", name, reason, fault)
    for number, (fault, changes, reason) in enumerate(_ACTIONS, 1):
        name = f"ZZ-A{number}"
        documents.stray("dispatch", "actions", name, _AT, _action(name) | changes)
        outcomes.refused("sandbox_dispatch.actions", name, reason, fault)
    name = "ZZ-L1"
    body = {"entityType": "location", "id": name, "name": "North gate", "type": "customer", **_dates()}
    text = json.dumps(body).replace('"name":', '"name": "South gate", "name":')
    documents.stray("dispatch", "locations", name, _AT, body, text)
    outcomes.refused("sandbox_dispatch.locations", name, "FIELD_INVALID", "a key twice in one object")
    _kept(world, documents, outcomes)


def _kept(world: World, documents: Documents, outcomes: Outcomes) -> None:
    """On the first trip that is over: a second driver, and one stop told twice."""
    trip = next(each for each in world.trips if each.back < _AT)
    stop, second = f"STOP-{trip.id}-1", "DRV-ZZ-02"
    driver = {**otm5.reference("actor", second), "roles": ["driver"]}
    documents.edit("dispatch", "trips", trip.id, lambda body: body["actors"].append(driver))
    outcomes.kept("sandbox_dispatch.trips", trip.id, "driver_count", 2, "two drivers on one trip")
    documents.edit(
        "dispatch", "actions", stop, lambda body: body["externalAttributes"].update(secondDriverId=second)
    )
    outcomes.kept("sandbox_dispatch.actions", stop, "has_second_driver", "true", "two drivers at one stop")
    documents.again("dispatch", "actions", stop)
    outcomes.repeated("sandbox_dispatch.actions", stop, "the same stop twice")


def _consignment(name: str, changes: Body, more: Body) -> Body:
    own = {"orderId": f"SO-{name}", "depotId": "HAM", "charges": [], **more}
    body = {"entityType": "consignment", "id": name, "status": "accepted", "goods": []}
    return {**body, "externalAttributes": own, **_dates(), **changes}


def _action(name: str) -> Body:
    body = {"id": name, "actionType": "stop", "lifecycle": "realized", "sequenceNr": 1}
    times = {"startTime": iso(_EARLIER), "endTime": iso(_AT), "result": {"status": "succeeded"}}
    return {**body, **times, "externalAttributes": {"stopId": name}, **_dates()}


def _dates() -> dict[str, str]:
    return {"creationDate": iso(_EARLIER), "lastModified": iso(_AT)}
