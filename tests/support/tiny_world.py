"""A hand-made world of a few documents per system, for tests of the servers alone."""

import json
import sqlite3
from pathlib import Path
from typing import Any

NOW = "2026-11-13T17:00:00.000000Z"
PAST = "2026-11-12T09:00:00.000000Z"
SEED, ORDERS = 7, 1
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
_TABLES = """
CREATE TABLE documents(system TEXT, collection TEXT, id TEXT, seq INTEGER, visible_at TEXT, modified TEXT,
    body TEXT, PRIMARY KEY(system, collection, id, seq));
CREATE TABLE files(id TEXT PRIMARY KEY, mime TEXT, body BLOB);
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
"""
_HEAD: dict[str, Any] = {
    "creation": "2026-11-12 10:00:00.000000",
    "modified": "2026-11-12 10:00:00.000000",
    "owner": "clerk@example.invalid",
    "docstatus": 0,
}


class TinyWorld:
    """The store of a world under ``home``; add documents, then start servers on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "sandbox" / "world.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(self.path)
        self.connection.executescript(_TABLES)
        meta = {"seed": SEED, "orders": ORDERS, "now": NOW, "go_live": "2026-11-10T00:00:00.000000Z"}
        self.connection.executemany("INSERT INTO meta VALUES (?, ?)", [(k, str(v)) for k, v in meta.items()])
        self.connection.commit()

    def add(
        self,
        system: str,
        collection: str,
        identity: str,
        body: object,
        *,
        seq: int = 1,
        visible_at: str = PAST,
        modified: str | None = None,
    ) -> None:
        """One version of one document; ``body`` may be JSON text, to be served as it stands."""
        text = body if isinstance(body, str) else json.dumps(body)
        row = (system, collection, identity, seq, visible_at, modified or visible_at, text)
        self.connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        self.connection.commit()

    def add_file(self, identity: str, body: bytes = PNG, mime: str = "image/png") -> None:
        self.connection.execute("INSERT INTO files VALUES (?, ?, ?)", (identity, mime, body))
        self.connection.commit()


def add_masters(world: TinyWorld) -> None:
    """Two companies (one with closed books), three customers, an item, a tax template."""
    company = {"default_currency": "EUR", "country": "Germany", "custom_time_zone": "Europe/Berlin"}
    for name, closed in (("WBDE", None), ("WBFR", "2026-12-31")):
        body = {"name": name, "company_name": name, **company, "accounts_frozen_till_date": closed, **_HEAD}
        world.add("erp", "Company", name, body)
    body = {"name": "WBJP", "company_name": "WBJP", "default_currency": "JPY", **_HEAD}
    world.add("erp", "Company", "WBJP", body)
    credit = [{"company": "WBDE", "credit_limit": 50000.0}]
    for name, disabled, frozen in (("C-1", 0, 0), ("C-OFF", 1, 0), ("C-ICE", 0, 1)):
        body = {"name": name, "customer_name": "Ada & Co", "disabled": disabled, "is_frozen": frozen}
        world.add("erp", "Customer", name, {**body, "credit_limits": credit, **_HEAD})
    world.add("erp", "Item", "I-1", {"name": "I-1", "item_name": "Pallet", "stock_uom": "EA", **_HEAD})
    template = {"name": "DE-19", "taxes": [{"tax_type": "VAT", "tax_rate": 19.0}], **_HEAD}
    world.add("erp", "Item Tax Template", "DE-19", template)


def order(number: int, modified: str = "2026-11-12 10:00:00.000000") -> dict[str, Any]:
    """A sales order of two lines."""
    name = f"SO-{number:04d}"
    line = {"item_code": "I-1", "qty": 2.0, "uom": "EA", "rate": 10.5, "amount": 21.0}
    items = [{"name": f"{name}-L{n}", "idx": n, **line, "item_tax_template": "DE-19"} for n in (1, 2)]
    return {
        **_HEAD,
        "name": name,
        "modified": modified,
        "customer": "C-1",
        "company": "WBDE",
        "currency": "EUR",
        "status": "To Bill",
        "grand_total": 49.98,
        "items": items,
    }


def add_one_of_each(world: TinyWorld) -> None:
    """Something to list in every system."""
    add_masters(world)
    for number in range(1, 31):
        world.add("erp", "Sales Order", f"SO-{number:04d}", order(number))
    add_dispatch(world)
    for minute in range(3):
        world.add("telematics", "points", f"D-1|{minute}", point("D-1", minute))
    world.add("telematics", "safety", "SE-1", safety_event("SE-1"))
    world.add("pod", "tasks", "T-1", task("T-1"))
    world.add("depot_pod", "deliveries", "DL-1", delivery("DL-1"))
    world.add_file("photo-1")
    world.add("wms", "events", "urn:uuid:1", scan("1"))
    world.add("tms", "actions", "ETA-1", prediction())


def scan(number: str) -> dict[str, Any]:
    """An EPCIS event of a load leaving."""
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:{number}",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "eventTime": "2026-11-12T10:00:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "recordTime": PAST,
        "epcList": ["urn:epc:id:sscc:4012345.1000000001"],
    }


def prediction() -> dict[str, Any]:
    """A stop that somebody expects to be reached."""
    when = {"creationDate": "2026-11-12T09:00:00Z", "lastModified": "2026-11-12T09:00:00Z"}
    more = {"stopId": "S-1", "tripId": "TR-1", "issuer": "planner"}
    head = {
        "id": "ETA-1",
        "actionType": "stop",
        "lifecycle": "projected",
        "startTime": "2026-11-12T11:00:00Z",
    }
    return {**head, "externalAttributes": more, **when}


def add_dispatch(world: TinyWorld) -> None:
    """One entity of each collection of dispatch, in the standard's words."""
    when = {"creationDate": "2026-11-12T09:00:00Z", "lastModified": "2026-11-12T09:00:00Z"}
    line = {
        "type": "latLonArrayGeoReference",
        "points": [{"lat": 53.55, "lon": 9.99}, {"lat": 53.6, "lon": 10.0}],
    }
    geo = {"type": "latLonPointGeoReference", "lat": 53.55, "lon": 9.99}
    vehicle = {"associationType": "reference", "entityType": "vehicle", "uuid": "V-1"}
    goods = {"entityType": "goods", "id": "G-1", "type": "items", "quantity": 2}
    inline = {"associationType": "inline", "entity": {**goods, "externalAttributes": {"orderLineId": "L1"}}}
    entities: dict[str, dict[str, Any]] = {
        "locations": {"entityType": "location", "id": "L-1", "type": "customer", "geoReference": geo},
        "vehicles": {"entityType": "vehicle", "id": "V-1", "licensePlate": "HH-WB 1"},
        "actors": {"entityType": "actor", "id": "D-1", "externalAttributes": {"role": "driver"}},
        "routes": {"entityType": "route", "id": "RT-1", "geoReferences": line},
        "trips": {"entityType": "trip", "id": "TR-1", "status": "inTransit", "vehicle": vehicle},
        "consignments": {
            "entityType": "consignment",
            "id": "CN-1",
            "status": "accepted",
            "goods": [inline],
            "externalAttributes": {"orderId": "SO-0001"},
        },
        "actions": {"entityType": "action", "id": "A-1", "actionType": "load", "lifecycle": "realized"},
    }
    for collection, entity in entities.items():
        world.add("dispatch", collection, entity["id"], {**entity, **when})


def point(device: str, minute: int) -> dict[str, Any]:
    """One position with odometer and engine state."""
    time = f"2026-11-12T08:{minute:02d}:00Z"
    gps = {"time": time, "latitude": 53.5, "longitude": 9.9, "headingDegrees": 90, "receivedAtTime": time}
    gps["speedMilesPerHour"] = 30.5
    return {
        "deviceId": device,
        "gps": gps,
        "odometer": {"time": time, "value": 1000 + minute},
        "engine": {"time": time, "value": "On"},
    }


def safety_event(identity: str, told: str = PAST) -> dict[str, Any]:
    """A harsh braking, as the safety stream tells it."""
    return {
        "id": identity,
        "asset": {"id": "D-1", "name": "V-1", "type": "vehicle"},
        "driver": {"id": "DRV-1"},
        "behaviorLabels": [{"label": "Braking", "source": "automated"}],
        "contextLabels": [],
        "createdAtTime": told,
        "updatedAtTime": told,
        "startMs": "2026-11-12T08:00:01.250000Z",
        "endMs": "2026-11-12T08:00:05.250000Z",
        "eventState": "needsReview",
        "inboxEventUrl": "https://telematics.invalid/1",
        "incidentReportUrl": "https://telematics.invalid/1/report",
        "location": {"headingDegrees": 90, "latitude": 53.5, "longitude": 9.9},
        "maxAccelerationGForce": 0.55,
    }


def task(identity: str) -> dict[str, Any]:
    """A completed Onfleet task with one line delivered."""
    lines = json.dumps(
        [{"id": "1", "order_line_id": "SO-0001-L1", "item_id": "I-1", "quantity": "2", "uom": "EA"}]
    )
    values = {"consignment_id": "CN-1", "order_id": "SO-0001", "delivered_lines": lines}
    return {
        "id": identity,
        "shortId": identity[-8:],
        "timeCreated": 1794474000000,
        "timeLastModified": 1794474000000,
        "state": 3,
        "destination": {"location": [9.99, 53.55]},
        "completionDetails": {
            "success": True,
            "time": 1794473000000,
            "notes": "",
            "photoUploadIds": ["photo-1"],
            "signatureUploadId": None,
            "lastLocation": [9.99, 53.55],
        },
        "metadata": [{"name": name, "type": "string", "value": value} for name, value in values.items()],
    }


def delivery(identity: str, **changes: Any) -> dict[str, Any]:
    """A delivery of the depot's app with one photo."""
    return {
        "id": identity,
        "shipment": "CN-2",
        "order": "SO-0002",
        "status": "delivered",
        "captured_at": "2026-11-12T08:00:00Z",
        "uploaded_at": "2026-11-12T08:30:00Z",
        "updated_at": "2026-11-12T08:30:00Z",
        "lines": [{"id": "1", "order_line": "SO-0002-L1", "item": "I-1", "quantity": "2", "uom": "EA"}],
        "documents": [{"id": "photo-1", "kind": "photo", "sha256": None}],
        **changes,
    }
