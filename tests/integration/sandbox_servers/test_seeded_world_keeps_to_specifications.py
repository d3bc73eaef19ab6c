"""The seeded world as served: every document keeps to its specification, but for those planted to break it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.servers import access
from tests.support.sandbox import Running, running_sandbox
from tests.support.specifications import OTM5, OTM5_NAMES, SAMSARA, epcis, faults, own, published

CLIENT = httpx.Client(timeout=30)
DOCTYPES = (
    "Company", "Cost Center", "Customer", "Item", "Item Tax Template", "Sales Order", "Delivery Note",
    "Sales Invoice",
)  # fmt: skip


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_sandbox(tmp_path_factory.mktemp("seeded"), orders=120) as running:
        yield running


def planted(running: Running, system: str) -> set[str]:
    """The ids that the truth file says must become dead letters."""
    truth = json.loads(Path(running.endpoints["truth"]).read_text(encoding="utf-8"))
    letters = [each for each in truth.get("dead_letters", []) if each["connection"] == f"sandbox_{system}"]
    return {str(each["source_id"]) for each in letters if each["source_id"]}


def asked(running: Running, system: str, path: str, **parameters: Any) -> Any:
    headers = {"Authorization": access.expected(system)}
    answer = CLIENT.get(running.url(system) + path, params=parameters, headers=headers)
    assert answer.status_code == 200, answer.text[:300]
    return answer.json()


def unplanned(running: Running, system: str, validator: Any, documents: list[dict[str, Any]]) -> list[str]:
    """Faults of documents that mention no planted id."""
    assert documents
    excused = planted(running, system)
    return [
        f"{document.get('id') or document.get('name')}: {fault}"
        for document in documents
        for fault in faults(validator, document)
        if not any(each in json.dumps(document) for each in excused)
    ]


def listed(running: Running, system: str, collection: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more = True
    while more:
        page = asked(running, system, f"/api/v5/{collection}", limit=1000, offset=len(found))
        found += page["items"]
        more = page["hasMore"]
    return found


@pytest.mark.parametrize("collection", OTM5_NAMES)
def test_dispatch(seeded: Running, collection: str) -> None:
    found = listed(seeded, "dispatch", collection)
    assert unplanned(seeded, "dispatch", published(OTM5, OTM5_NAMES[collection]), found) == []


def test_tms(seeded: Running) -> None:
    found = listed(seeded, "tms", "actions")
    assert {each["lifecycle"] for each in found} == {"projected"}
    assert unplanned(seeded, "tms", published(OTM5, "stop"), found) == []


def test_wms(seeded: Running) -> None:
    first = asked(seeded, "wms", "/epcis/events", perPage=1000)
    assert faults(epcis(), first) == []
    events = first["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    declared = [each for each in events if "errorDeclaration" in each]
    replaced = {name for each in declared for name in each["errorDeclaration"].get("correctiveEventIDs", [])}
    assert replaced and replaced <= {each["eventID"] for each in events}
    events[0]["bizStep"] = "juggling"
    assert faults(epcis(), first)


def test_telematics(seeded: Running) -> None:
    feed = "/fleet/vehicles/stats/feed"
    page = asked(seeded, "telematics", feed, types="gps,obdOdometerMeters,engineStates")
    assert faults(published(SAMSARA, "VehicleStatsListResponse"), page) == []
    assert sum(len(vehicle["gps"]) for vehicle in page["data"]) > 1000


def test_telematics_events(seeded: Running) -> None:
    page = asked(seeded, "telematics", "/safety-events/stream", startTime="2026-10-01T00:00:00Z")
    assert unplanned(seeded, "telematics", own("samsara", "safety_event"), page["data"]) == []


@pytest.mark.parametrize("doctype", DOCTYPES)
def test_erp(seeded: Running, doctype: str) -> None:
    names = asked(seeded, "erp", f"/api/resource/{doctype}", limit_page_length=0)["data"]
    found = [
        asked(seeded, "erp", f"/api/resource/{doctype}/{row['name']}")["data"]
        for row in names[:100]
        if isinstance(row["name"], str) and row["name"].isascii() and row["name"].isprintable()
    ]
    validator = own("frappe", doctype.lower().replace(" ", "_"))
    assert unplanned(seeded, "erp", validator, found) == []


def test_pod(seeded: Running) -> None:
    tasks = asked(seeded, "pod", "/api/v2/tasks/all", **{"from": 0})["tasks"]
    assert unplanned(seeded, "pod", own("onfleet", "task"), tasks) == []
    photos = [photo for task in tasks for photo in task["completionDetails"].get("photoUploadIds") or []]
    headers = {"Authorization": access.expected("pod")}
    photo = httpx.get(f"{seeded.url('pod')}/cdn/uploads/{photos[0]}", headers=headers)
    assert photo.headers["content-type"].startswith("image/")
