"""EPCIS 2.0 object events of the warehouses' scanners: what, when (with the offset of the local clock), where, why.

An error declaration is the same event captured again, with when and why it was declared wrong.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.gs1 import sscc_urn
from sandbox.world.happenings import Scan
from sandbox.world.model import World
from sandbox.world.moments import iso
from sandbox.world.store import Documents

_SPACE = uuid.UUID("2f6f2c52-7b0e-5a0e-8f4c-5d5b6c1f9a31")
NAMES = "https://wms.waybill.invalid/epcis/"


def event_id(scan: str) -> str:
    """The EPCIS id of the scan of this name."""
    return f"urn:uuid:{uuid.uuid5(_SPACE, scan)}"


def write(world: World, documents: Documents) -> None:
    """One event per scan; a second version of it where it was declared an error."""
    for scan in world.scans:
        moments = [scan.recorded, *([scan.wrong[0]] if scan.wrong else [])]
        documents.add("wms", "events", event_id(scan.id), moments, partial(_event, scan))


def _event(scan: Scan, at: datetime, modified: datetime) -> dict[str, Any]:
    local = scan.occurred.astimezone(ZoneInfo(scan.depot.zone))
    body: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventID": event_id(scan.id),
        "action": "OBSERVE",
        "bizStep": scan.step,
        "disposition": scan.disposition,
        "eventTime": local.isoformat(timespec="microseconds"),
        "eventTimeZoneOffset": _offset(local),
        "recordTime": iso(modified),
        "epcList": [sscc_urn(scan.shipment.id)],
        "readPoint": {"id": f"{NAMES}locations/{scan.depot.id}"},
        "bizTransactionList": [
            {"type": "desadv", "bizTransaction": f"{NAMES}consignments/{scan.shipment.id}"}
        ],
    }
    if scan.status_code:
        body["wms:statusCode"] = scan.status_code
    if scan.reason:
        body["wms:reasonCode"] = scan.reason
    if scan.wrong and scan.wrong[0] <= at:
        declared, reason, instead = scan.wrong
        body["errorDeclaration"] = {"declarationTime": iso(declared), "reason": reason}
        if instead:
            body["errorDeclaration"]["correctiveEventIDs"] = [event_id(each) for each in instead]
    return body


def _offset(local: datetime) -> str:
    text = local.strftime("%z")
    return f"{text[:3]}:{text[3:]}"
