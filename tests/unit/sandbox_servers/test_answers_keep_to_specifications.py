"""The servers' answers against the vendors' published specifications and our fixtures of the others."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.specifications import OTM5, OTM5_NAMES, SAMSARA, epcis, faults, own, published

Server = Callable[..., Any]


@pytest.mark.parametrize("collection", OTM5_NAMES)
def test_dispatch_speaks_open_trip_model(server: Server, collection: str) -> None:
    validator = published(OTM5, OTM5_NAMES[collection])
    client = server("dispatch")
    (item,) = client.get(f"/api/v5/{collection}").json()["items"]
    assert faults(validator, item) == []
    assert faults(validator, client.get(f"/api/v5/{collection}/{item['id']}").json()) == []
    assert faults(validator, {**item, "entityType": "submarine", "status": 7, "actionType": "sing"})


def test_the_tms_speaks_open_trip_model(server: Server) -> None:
    client = server("tms")
    (item,) = client.get("/api/v5/actions").json()["items"]
    validator = published(OTM5, "stop")
    assert faults(validator, item) == []
    assert faults(validator, {**item, "lifecycle": "dreamt"})
    assert client.get("/api/v5/trips").status_code == 404


def test_the_wms_speaks_epcis(server: Server) -> None:
    client, validator = server("wms"), epcis()
    page = client.get("/epcis/events")
    assert page.headers["content-type"] == "application/ld+json"
    assert faults(validator, page.json()) == []
    event = client.get("/epcis/events/urn:uuid:1").json()
    assert faults(validator, event) == []
    assert faults(validator, {**event, "eventTimeZoneOffset": "Z"})
    assert faults(validator, {**page.json(), "epcisBody": {}})


def test_telematics_speaks_samsara(server: Server) -> None:
    validator = published(SAMSARA, "VehicleStatsListResponse")
    feed = "/fleet/vehicles/stats/feed?types="
    page = server("telematics").get(f"{feed}gps,obdOdometerMeters,engineStates").json()
    assert faults(validator, page) == []
    page["data"][0]["engineStates"][0]["value"] = "Flying"
    assert faults(validator, page)
    refusal = server("telematics").get(feed).json()
    assert faults(published(SAMSARA, "standardErrorResponse"), refusal) == []


def test_the_safety_stream_speaks_samsara(server: Server) -> None:
    validator = own("samsara", "safety_event")
    (event,) = server("telematics").get("/safety-events/stream?startTime=2026-11-01T00:00:00Z").json()["data"]
    assert faults(validator, event) == []
    assert faults(validator, {**event, "startMs": 1794474000000})


@pytest.mark.parametrize(
    ("doctype", "name", "broken"),
    [
        ("Company", "WBDE", {"modified": "2026-11-12T10:00:00Z"}),
        ("Customer", "C-1", {"disabled": "no"}),
        ("Item", "I-1", {"stock_uom": None}),
        ("Item Tax Template", "DE-19", {"taxes": [{"tax_rate": "19"}]}),
        ("Sales Order", "SO-0001", {"grand_total": "49.98"}),
    ],
)
def test_the_erp_speaks_frappe(server: Server, doctype: str, name: str, broken: dict[str, object]) -> None:
    validator = own("frappe", doctype.lower().replace(" ", "_"))
    document = server("erp").get(f"/api/resource/{doctype}/{name}").json()["data"]
    assert faults(validator, document) == []
    assert faults(validator, {**document, **broken})


def test_a_written_invoice_speaks_frappe_too(server: Server) -> None:
    erp, validator = server("erp"), own("frappe", "sales_invoice")
    line = {"item_code": "I-1", "qty": "2", "uom": "EA", "rate": "10.25", "item_tax_template": "DE-19"}
    given = {"customer": "C-1", "company": "WBDE", "items": [line], "docstatus": 1}
    answer = erp.ask("POST", "/api/resource/Sales Invoice", json=given).json()["data"]
    assert faults(validator, answer) == []
    assert faults(validator, {**answer, "net_total": "20.50"})


def test_refusals_have_the_vendors_shape(server: Server) -> None:
    assert faults(own("frappe", "error"), server("erp").get("/api/resource/Item/none").json()) == []
    assert faults(own("onfleet", "error"), server("pod").get("/api/v2/tasks/none").json()) == []
    assert faults(own("onfleet", "error"), {"error": "no"})


def test_tasks_speak_onfleet(server: Server) -> None:
    (task,) = server("pod").get("/api/v2/tasks/all?from=0").json()["tasks"]
    assert faults(own("onfleet", "task"), task) == []
    assert faults(own("onfleet", "task"), {**task, "timeCreated": 1794474000})
