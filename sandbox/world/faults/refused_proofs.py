"""Proofs whose times or pictures nothing can be made of, in both POD apps."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.faults.outcomes import Outcomes
from sandbox.world.faults.registry import Patch, Prepare, kind
from sandbox.world.model import Case, World
from sandbox.world.moments import NOW, iso, ms
from sandbox.world.pictures import png
from sandbox.world.store import Body, Documents

PROOFS, DEPOT_PROOFS = "sandbox_pod.proofs", "sandbox_depot_pod.proofs"
_CAPTURED = NOW - timedelta(hours=6)
_LISBON = ZoneInfo("Europe/Lisbon")


def stray_task(name: str, received: datetime, **done: Any) -> Body:
    """A finished Onfleet task for a shipment that nobody knows, without lines and pictures."""
    values = {
        "consignment_id": f"CN-{name}",
        "order_id": f"SO-{name}",
        "received_at": ms(received),
        "delivered_lines": "[]",
        "evidence_sha256": "{}",
    }
    details = {
        "success": True,
        "time": ms(received - timedelta(minutes=1)),
        "notes": "",
        "failureReason": None,
    }
    details |= {"photoUploadIds": [], "signatureUploadId": None, "lastLocation": [9.98, 53.54]}
    return {
        "id": name,
        "shortId": name[-8:],
        "timeCreated": ms(received - timedelta(hours=1)),
        "timeLastModified": ms(received),
        "state": 3,
        "destination": {"location": [9.98, 53.54]},
        "completionDetails": details | done,
        "metadata": [
            {"name": key, "type": "number" if isinstance(value, int) else "string", "value": value}
            for key, value in values.items()
        ],
    }


def stray_delivery(name: str, received: datetime, **changes: Any) -> Body:
    """The same in the Lisbon depot's app."""
    return {
        "id": name,
        "shipment": f"CN-{name}",
        "order": f"SO-{name}",
        "status": "delivered",
        "captured_at": iso(received - timedelta(minutes=1)),
        "uploaded_at": iso(received),
        "updated_at": iso(received),
        "signer": None,
        "position": {"lat": 38.72, "lon": -9.14},
        "lines": [],
        "documents": [],
        "replaces": None,
        "voided_at": None,
        "damage": False,
    } | changes


def plant(world: World, documents: Documents, outcomes: Outcomes) -> None:
    name = "ZZ-POD-1"
    body = stray_task(name, _CAPTURED, time=int(_CAPTURED.timestamp()))
    documents.stray("pod", "tasks", name, _CAPTURED, body)
    outcomes.refused(PROOFS, name, "TIME_INVALID", "seconds for milliseconds")
    name = "ZZ-POD-2"
    body = stray_delivery(name, _CAPTURED, captured_at="2026-03-29T01:30:00")
    documents.stray("depot_pod", "deliveries", name, _CAPTURED, body)
    outcomes.refused(DEPOT_PROOFS, name, "TIME_GAP", "a time that the clocks skipped")
    for case in world.cases:
        if case.kind is _NAIVE:
            proof = case.shipment.pods[0].id
            outcomes.kept(DEPOT_PROOFS, proof, "time_quality", "assumed_zone", case.kind.name)
        elif case.kind is _EXPIRED:
            outcomes.kept("sandbox_depot_pod.evidence", None, "status", "expired", case.kind.name)


def _file(mime: str, content: bytes, *, of: str) -> Callable[[Case, Documents], None]:
    def patch(case: Case, documents: Documents) -> None:
        documents.files[getattr(case.shipment.pods[0], of)] = (mime, content)

    return patch


def _with_photo(case: Case) -> None:
    first, *others = case.shipment.pods
    case.shipment.pods = [replace(first, photo=f"PHO-{first.id}.jpg"), *others]


def _signature(**changes: Any) -> Callable[[Case, Documents], None]:
    """Changes what the Lisbon app says of the signature's file."""

    def patch(case: Case, documents: Documents) -> None:
        pod = case.shipment.pods[0]

        def change(body: Body) -> None:
            next(each for each in body["documents"] if each["id"] == pod.signature).update(changes)

        documents.edit("depot_pod", "deliveries", pod.id, change)

    return patch


def _on_the_wall(case: Case, documents: Documents) -> None:
    pod = case.shipment.pods[0]

    def change(body: Body) -> None:
        body |= {
            name: datetime.fromisoformat(body[name]).astimezone(_LISBON).replace(tzinfo=None).isoformat()
            for name in ("captured_at", "uploaded_at", "updated_at")
        }

    documents.edit("depot_pod", "deliveries", pod.id, change)


def _bomb() -> bytes:
    """A picture that claims more pixels than any memory holds."""
    small = png(48, 24, 1)
    return small[:16] + struct.pack(">II", 100_000, 100_000) + small[24:]


def _refused(
    name: str,
    patch: Patch,
    *codes: str,
    depot: str = "HAM",
    reason: str = "EVIDENCE_REJECTED",
    after: Prepare | None = None,
) -> None:
    app = "sandbox_depot_pod" if depot == "LIS" else "sandbox_pod"
    kind(
        name=name,
        system="pod",
        codes=("CONTRACT_BROKEN", *codes),
        letter=(app, "evidence", reason),
        depot=depot,
        after=after,
        patch=patch,
    )


_UNSIGNED = "POD_DOCUMENT_REQUIRED"
"""Each customer wants a signature; the photo is a bonus."""
# Two of them abroad, so that an amount in each currency is held back.
_refused("signature of one pixel", _file("image/png", png(1, 1, 0), of="signature"), _UNSIGNED, depot="TYO")
_refused("empty signature", _file("image/png", b"", of="signature"), _UNSIGNED, depot="CHI")
_refused("PDF named .jpg", _file("image/jpeg", b"%PDF-1.7\n%%EOF\n", of="photo"), after=_with_photo)
_refused("picture of ten thousand million pixels", _file("image/png", _bomb(), of="photo"))
_refused(
    "link into the private network",
    _signature(url="http://169.254.169.254/latest/meta-data/"),
    _UNSIGNED,
    depot="LIS",
    reason="URL_REFUSED",
)
_EXPIRED = kind(
    name="link that has expired",
    system="pod",
    codes=(_UNSIGNED,),
    depot="LIS",
    patch=_signature(expires_at=iso(NOW - timedelta(days=1))),
)
_NAIVE = kind(
    name="times without a zone, and the depot's is known", system="pod", depot="LIS", patch=_on_the_wall
)
