"""Dispatch, telematics and the two POD apps: paging that loses nothing, and refusals that can be told apart."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sandbox.servers import onfleet, samsara, signed_links
from sandbox.servers.process import SYSTEMS
from tests.support.tiny_world import PNG, TinyWorld, delivery, point, safety_event, scan, task

Server = Callable[..., Any]
FEED = "/fleet/vehicles/stats/feed"
STREAM = "/safety-events/stream?startTime=2026-11-01T00:00:00Z"
TYPES = "gps,obdOdometerMeters,engineStates"


@pytest.mark.parametrize(
    ("system", "url"),
    [
        ("dispatch", "/api/v5/trips"),
        ("dispatch", "/api/v5/trips/TR-1"),
        ("telematics", f"{FEED}?types=gps"),
        ("telematics", STREAM),
        ("pod", "/api/v2/tasks/all?from=0"),
        ("pod", "/cdn/uploads/photo-1"),
        ("depot_pod", "/v1/deliveries"),
        ("wms", "/epcis/events"),
        ("wms", "/epcis/events/urn:uuid:1"),
        ("tms", "/api/v5/actions"),
    ],
)
def test_no_answer_without_the_right_credentials(server: Server, system: str, url: str) -> None:
    client = server(system)
    assert client.get(url).status_code == 200
    assert client.get(url, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get(url, headers={}).status_code == 401


def test_every_answer_carries_the_worlds_date(server: Server) -> None:
    for system in SYSTEMS:
        for url in ("/nowhere", "/_sandbox/health"):
            assert server(system).get(url).headers["date"].startswith("Fri, 13 Nov 2026 17:00:")


def test_dispatch_lists_changes_page_by_page(world: TinyWorld, server: Server) -> None:
    for number in range(2, 6):
        at = f"2026-11-13T10:0{number}:00.000000Z"
        world.add("dispatch", "trips", f"TR-{number}", {"id": f"TR-{number}"}, visible_at=at)
    client = server("dispatch")
    first = client.get("/api/v5/trips?limit=3").json()
    rest = client.get("/api/v5/trips?limit=3&offset=3").json()
    assert [item["id"] for item in first["items"] + rest["items"]] == [f"TR-{n}" for n in range(1, 6)]
    assert (first["hasMore"], rest["hasMore"]) == (True, False)
    since = client.get("/api/v5/trips", params={"modifiedSince": "2026-11-13T10:04:00Z"}).json()
    assert [item["id"] for item in since["items"]] == ["TR-4", "TR-5"]


def test_dispatch_refuses_what_it_does_not_know(server: Server) -> None:
    client = server("dispatch")
    assert client.get("/api/v5/trips/none").status_code == 404
    assert client.get("/api/v5/secrets").status_code == 404
    assert client.get("/api/v5/trips?limit=0").status_code == 400
    assert client.get("/api/v5/trips?modifiedSince=yesterday").json()[0]["type"] == "invalidField"


def test_the_feed_gives_every_point_once_and_then_waits(
    world: TinyWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samsara, "PAGE", 2)
    world.add("telematics", "points", "D-2|1", point("D-2", 1))
    client, times, after = server("telematics"), [], ""
    for _ in range(3):
        page = client.get(FEED, params={"types": TYPES, "after": after}).json()
        times += [(each["id"], gps["time"]) for each in page["data"] for gps in each["gps"]]
        after = page["pagination"]["endCursor"]
    assert len(times) == len(set(times)) == 4
    assert page["pagination"]["hasNextPage"] is False
    assert page["data"] == []
    world.add("telematics", "points", "D-1|9", point("D-1", 9), visible_at="2026-11-13T16:00:00.000000Z")
    assert len(client.get(FEED, params={"types": TYPES, "after": after}).json()["data"]) == 1


def test_the_feed_gives_only_the_types_that_were_asked_for(server: Server) -> None:
    (vehicle,) = server("telematics").get(f"{FEED}?types=engineStates").json()["data"]
    assert {"id", "name", "engineStates"} == set(vehicle)


@pytest.mark.parametrize(
    "query", ["", "types=", "types=speed", "types=gps&after=%25", "types=gps&after=e30="]
)
def test_the_feed_refuses_a_wrong_question(server: Server, query: str) -> None:
    answer = server("telematics").get(f"{FEED}?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"message", "requestId"})


def test_the_stream_gives_every_event_once_and_then_waits(
    world: TinyWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samsara, "EVENTS_PAGE", 2)
    for name in ("SE-2", "SE-3"):
        world.add("telematics", "safety", name, safety_event(name))
    client, first = server("telematics"), server("telematics").get(STREAM).json()
    after = first["pagination"]["endCursor"]
    second = client.get(f"{STREAM}&after={after}").json()
    assert [each["id"] for each in first["data"] + second["data"]] == ["SE-1", "SE-2", "SE-3"]
    assert [page["pagination"]["hasNextPage"] for page in (first, second)] == [True, False]
    after = second["pagination"]["endCursor"]
    waiting = client.get(f"{STREAM}&after={after}").json()
    assert waiting == {"data": [], "pagination": {"endCursor": after, "hasNextPage": False}}
    told = "2026-11-13T16:00:00.000000Z"
    world.add("telematics", "safety", "SE-4", safety_event("SE-4", told), visible_at=told)
    assert [each["id"] for each in client.get(f"{STREAM}&after={after}").json()["data"]] == ["SE-4"]


def test_the_stream_keeps_to_the_times_that_were_asked_for(server: Server) -> None:
    client, day = server("telematics"), "2026-11-12T09:00:00Z"
    ask = "/safety-events/stream?startTime={}&endTime={}&queryByTimeField=createdAtTime".format
    assert len(client.get(ask(day, "2026-11-12T09:00:01Z")).json()["data"]) == 1
    assert client.get(ask("2026-11-11T09:00:00Z", day)).json()["data"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "startTime=yesterday",
        "startTime=2026-11-01T00:00:00",
        "startTime=2026-11-01T00:00:00Z&endTime=x",
        "startTime=2026-11-01T00:00:00Z&after=%25",
        "startTime=2026-11-01T00:00:00Z&queryByTimeField=startMs",
    ],
)
def test_the_stream_refuses_a_wrong_question(server: Server, query: str) -> None:
    answer = server("telematics").get(f"/safety-events/stream?{query}")
    assert (answer.status_code, set(answer.json())) == (400, {"message", "requestId"})


def test_tasks_come_page_by_page_until_no_last_id(
    world: TinyWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onfleet, "PAGE", 2)
    for number in (2, 3):
        world.add("pod", "tasks", f"T-{number}", task(f"T-{number}"))
    client = server("pod")
    first = client.get("/api/v2/tasks/all?from=0").json()
    second = client.get("/api/v2/tasks/all", params={"from": 0, "lastId": first["lastId"]}).json()
    assert [each["id"] for each in first["tasks"] + second["tasks"]] == ["T-1", "T-2", "T-3"]
    assert "lastId" not in second
    assert client.get("/api/v2/tasks/all?from=1794560400000").json()["tasks"] == []
    assert client.get("/api/v2/tasks/all").status_code == 400


def test_photos_are_behind_the_cdn_path(server: Server) -> None:
    photo = server("pod").get("/cdn/uploads/photo-1")
    assert (photo.content, photo.headers["content-type"]) == (PNG, "image/png")
    assert server("pod").get("/cdn/uploads/none").status_code == 404


def link(client: Any, position: int = 0) -> str:
    found: str = client.get("/v1/deliveries").json()["deliveries"][position]["documents"][0]["url"]
    return found


def test_a_signed_link_is_good_for_an_hour(server: Server) -> None:
    client = server("depot_pod")
    url = link(client)
    assert client.get(url, headers={}).content == PNG
    later = server("depot_pod", at=client.clock.now() + timedelta(minutes=59))
    too_late = server("depot_pod", at=client.clock.now() + timedelta(minutes=61))
    assert later.get(url, headers={}).status_code == 200
    assert too_late.get(url, headers={}).status_code == 410
    assert too_late.get(link(too_late), headers={}).status_code == 200


def test_a_forged_link_is_refused(server: Server) -> None:
    client = server("depot_pod")
    base, _, _ = link(client).partition("?")
    assert client.get(f"{base}?expires=9999999999&sig=00", headers={}).status_code == 403
    assert client.get(base, headers={}).status_code == 403


def test_planted_links_and_expiries_are_kept(world: TinyWorld, server: Server) -> None:
    old = {"id": "photo-1", "kind": "photo", "expires_at": "2026-11-13T16:00:00Z"}
    foreign = {"id": "x", "kind": "photo", "url": "http://169.254.169.254/latest", "expires_at": None}
    world.add("depot_pod", "deliveries", "DL-2", delivery("DL-2", documents=[old]))
    world.add("depot_pod", "deliveries", "DL-3", delivery("DL-3", documents=[foreign]))
    client = server("depot_pod")
    assert client.get(link(client, 1), headers={}).status_code == 410
    assert link(client, 2) == "http://169.254.169.254/latest"


def test_deliveries_come_page_by_page(
    world: TinyWorld, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_links, "PAGE", 2)
    for number in (2, 3):
        world.add("depot_pod", "deliveries", f"DL-{number}", delivery(f"DL-{number}"))
    client = server("depot_pod")
    first, second = (client.get(f"/v1/deliveries?page={number}").json() for number in (1, 2))
    assert (first["next_page"], second["next_page"]) == (2, None)
    assert [each["id"] for each in first["deliveries"] + second["deliveries"]] == ["DL-1", "DL-2", "DL-3"]
    assert client.get("/v1/deliveries?updated_since=2026-11-13T00:00:00Z").json()["deliveries"] == []
    assert client.get("/v1/deliveries?page=0").status_code == 400


def test_the_wms_pages_by_link_and_by_record_time(world: TinyWorld, server: Server) -> None:
    for number in range(2, 6):
        at = f"2026-11-13T10:0{number}:00.000000Z"
        world.add("wms", "events", f"urn:uuid:{number}", scan(str(number)), visible_at=at)
    client = server("wms")
    seen, url = [], "/epcis/events?perPage=2"
    while url:
        page = client.get(url)
        seen += events(page)
        url = page.links["next"]["url"] if page.links else ""
    assert seen == [f"urn:uuid:{n}" for n in range(1, 6)]
    since = client.get("/epcis/events", params={"GE_recordTime": "2026-11-13T11:04:00+01:00"})
    assert events(since) == ["urn:uuid:4", "urn:uuid:5"]


def events(page: Any) -> list[str]:
    return [each["eventID"] for each in page.json()["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]


@pytest.mark.parametrize(
    "query",
    ["perPage=0", "perPage=many", "GE_recordTime=2026-11-13", "nextPageToken=x", "EQ_bizStep=shipping"],
)
def test_the_wms_refuses_a_question_it_does_not_understand(server: Server, query: str) -> None:
    refusal = server("wms").get(f"/epcis/events?{query}")
    assert (refusal.status_code, refusal.json()["title"]) == (400, "QueryParameterException")


def test_the_wms_knows_no_other_event(server: Server) -> None:
    assert server("wms").get("/epcis/events/urn:uuid:none").json()["title"] == "NoSuchResourceException"
