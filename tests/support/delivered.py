"""Orders of another system as dispatch drove them out and as they were signed for, in the sandbox's own dialects."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.clock import instant
from sandbox.world.pictures import png
from tests.support.tiny_world import TinyWorld

PLACE = (53.55, 9.99)


@dataclass(frozen=True)
class Line:
    """What was loaded and accepted of a line of an order."""

    order_line_id: str
    item_id: str
    quantity: str
    uom: str


class DeliveredWorld:
    """A world that stands at ``now`` under ``home``, for dispatch and POD alone."""

    def __init__(self, home: Path, now: datetime) -> None:
        self._world, self._now, self._pictures = TinyWorld(home), now, itertools.count()
        with self._world.connection as db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'now'", (instant(now),))
        self._entity("locations", {"entityType": "location", "id": "PLACE", "name": "Ramp", "type": "customer",
                                   "geoReference": {"type": "latLonPointGeoReference", "lat": PLACE[0], "lon": PLACE[1]},
                                   "externalAttributes": {"timeZone": "Europe/Berlin", "region": "North"}})  # fmt: skip

    def deliver(self, order_id: str, lines: Sequence[Line]) -> str:
        """Loaded an hour ago, handed over half an hour ago, signed for; the shipment's number."""
        shipment = f"CN-{order_id}"
        self._entity("consignments", {
            "entityType": "consignment", "id": shipment, "status": "completed",
            "goods": [_goods(f"{shipment}-{number}", each) for number, each in enumerate(lines, start=1)],
            "externalAttributes": {"orderId": order_id, "deliveryLocationId": "PLACE", "timeZone": "Europe/Berlin",
                                   "charges": []},
        })  # fmt: skip
        self._action(shipment, "load", self._now - timedelta(hours=1))
        self._action(shipment, "handOver", self._now - timedelta(minutes=30))
        self._sign(shipment, order_id, lines, self._now - timedelta(minutes=30))
        return shipment

    def _action(self, shipment: str, kind: str, end: datetime) -> None:
        self._entity("actions", {
            "id": f"{shipment}-{kind}", "actionType": kind, "lifecycle": "realized", "result": {"status": "succeeded"},
            "startTime": instant(end - timedelta(minutes=5)), "endTime": instant(end),
            "externalAttributes": {"consignmentId": shipment, "locationId": "PLACE"},
        })  # fmt: skip

    def _sign(self, shipment: str, order_id: str, lines: Sequence[Line], at: datetime) -> None:
        uploads = [f"PHO-{shipment}", f"SIG-{shipment}"]
        hashes = {}
        for each in uploads:
            picture = png(320, 240, next(self._pictures))
            self._world.add_file(each, picture)
            hashes[each] = hashlib.sha256(picture).hexdigest()
        accepted = [
            {"id": f"POD-{shipment}-{number}", "order_line_id": each.order_line_id, "item_id": each.item_id,
             "quantity": each.quantity, "uom": each.uom}
            for number, each in enumerate(lines, start=1)
        ]  # fmt: skip
        milliseconds = int(at.timestamp() * 1000)
        more: dict[str, Any] = {
            "consignment_id": shipment, "order_id": order_id, "received_at": milliseconds,
            "delivered_lines": json.dumps(accepted), "evidence_sha256": json.dumps(hashes),
        }  # fmt: skip
        task = {
            "id": f"POD-{shipment}", "shortId": shipment[-8:], "timeCreated": milliseconds,
            "timeLastModified": milliseconds, "state": 3, "destination": {"location": [PLACE[1], PLACE[0]]},
            "completionDetails": {
                "success": True, "time": milliseconds, "notes": "", "photoUploadIds": uploads[:1],
                "signatureUploadId": uploads[1], "lastLocation": [PLACE[1], PLACE[0]],
            },
            "metadata": [{"name": name, "value": value} for name, value in more.items()],
        }  # fmt: skip
        self._world.add("pod", "tasks", task["id"], task, visible_at=instant(at))

    def _entity(self, collection: str, entity: dict[str, Any]) -> None:
        told = instant(self._now - timedelta(minutes=20))
        body = {**entity, "creationDate": told, "lastModified": told}
        self._world.add("dispatch", collection, entity["id"], body, visible_at=told)


def _goods(identity: str, line: Line) -> dict[str, Any]:
    more = {
        "orderLineId": line.order_line_id,
        "itemCode": line.item_id,
        "uom": line.uom,
        "quantityDecimal": line.quantity,
    }
    entity = {
        "type": "items",
        "id": identity,
        "quantity": float(line.quantity),
        "externalAttributes": more,
    }
    return {"associationType": "inline", "entity": entity}
