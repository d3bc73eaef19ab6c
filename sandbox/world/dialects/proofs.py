"""Proofs of delivery in both apps: Onfleet tasks, and the Lisbon depot's deliveries with signed links."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from functools import partial
from typing import Any

from sandbox.world.model import Pod, Shipment, World
from sandbox.world.moments import iso, ms
from sandbox.world.pictures import png
from sandbox.world.store import Documents

LINKS_DEPOT = "LIS"
_WORDS = {"succeeded": "delivered", "partiallySucceeded": "partial", "failed": "failed"}


def write(world: World, documents: Documents) -> None:
    """One document per proof, and its pictures."""
    drawn = [png(48, 24, seed) for seed in range(24)]
    number = 0
    for shipment in world.shipments:
        for pod in shipment.pods:
            hashes = {}
            for identity in (pod.signature, pod.photo):
                if identity:
                    # A proof that replaces another shows the same pictures.
                    if identity not in documents.files:
                        number += 1
                        documents.files[identity] = ("image/png", drawn[number % len(drawn)])
                    picture = documents.files[identity][1]
                    hashes[identity] = hashlib.sha256(picture).hexdigest()
            links = shipment.order.depot.id == LINKS_DEPOT
            make = delivery if links else task
            documents.add(
                "depot_pod" if links else "pod",
                "deliveries" if links else "tasks",
                pod.id,
                [pod.received],
                partial(make, shipment, pod, hashes),
            )


def _lines(shipment: Shipment, pod: Pod, line_key: str, item_key: str) -> list[dict[str, str]]:
    lines = {line.id: line for line in shipment.order.lines}
    return [
        {
            "id": f"{pod.id}-{line[-2:]}",
            line_key: line,
            item_key: lines[line].item.id,
            "quantity": str(quantity),
            "uom": lines[line].item.uom,
        }
        for line, quantity in pod.delivered.items()
        if quantity
    ]


def task(
    shipment: Shipment, pod: Pod, hashes: dict[str, str], at: datetime, modified: datetime
) -> dict[str, Any]:
    """A finished Onfleet task."""
    failed = pod.outcome == "failed"
    values = {
        "consignment_id": shipment.id,
        "order_id": shipment.order.id,
        "received_at": str(ms(pod.received)),
        "delivered_lines": json.dumps(_lines(shipment, pod, "order_line_id", "item_id")),
        "evidence_sha256": json.dumps(hashes),
        **_sometimes(pod),
    }
    place = [pod.lon, pod.lat]
    return {
        "id": pod.id,
        "shortId": pod.id[-8:],
        "timeCreated": ms(shipment.allocated),
        "timeLastModified": ms(modified),
        "state": 3,
        "destination": {"location": place},
        "completionDetails": {
            "success": not failed,
            "time": ms(pod.captured),
            "notes": "",
            "failureReason": pod.reason or None,
            "photoUploadIds": [pod.photo] if pod.photo else [],
            "signatureUploadId": pod.signature,
            "lastLocation": place,
        },
        "metadata": [
            {
                "name": name,
                "type": "number" if name == "received_at" else "string",
                "value": int(value) if name == "received_at" else value,
            }
            for name, value in values.items()
        ],
    }


def _sometimes(pod: Pod) -> dict[str, str]:
    """What a task says only where it is so."""
    said = {"outcome": "partial"} if pod.outcome == "partiallySucceeded" else {}
    return said | ({"supersedes_task_id": pod.supersedes} if pod.supersedes else {})


def delivery(
    shipment: Shipment, pod: Pod, hashes: dict[str, str], at: datetime, modified: datetime
) -> dict[str, Any]:
    """A delivery of the Lisbon depot's app; its links are signed when it is listed."""
    return {
        "id": pod.id,
        "shipment": shipment.id,
        "order": shipment.order.id,
        "status": _WORDS[pod.outcome],
        "captured_at": iso(pod.captured),
        "uploaded_at": iso(pod.received),
        "updated_at": iso(modified),
        "signer": "M. Costa" if pod.signature else None,
        "position": {"lat": pod.lat, "lon": pod.lon},
        "lines": _lines(shipment, pod, "order_line", "item"),
        "documents": [
            {
                "id": identity,
                "kind": "signature" if identity == pod.signature else "photo",
                "url": None,
                "expires_at": None,
                "sha256": digest,
            }
            for identity, digest in hashes.items()
        ],
        "replaces": pod.supersedes,
        "voided_at": None,
        "damage": False,
    }
