"""WMS: the EPCIS 2.0 query interface over the scanners' events, with the standard's paging by ``Link``.

Belongs here: paths, parameters, paging and errors. The events are the world's and are served untouched.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response

from sandbox.clock import instant
from sandbox.servers import access, texts
from sandbox.servers.store import Document, Store

PAGE, LARGEST_PAGE = 30, 1000
CONTEXT = (
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"wms": "https://wms.waybill.invalid/epcis/"},
)
_VERSIONS = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
_KNOWN = frozenset({"GE_recordTime", "perPage", "nextPageToken"})


def app(store: Store) -> FastAPI:
    """GET /epcis/events?GE_recordTime=&perPage=&nextPageToken= and GET /epcis/events/{eventID}."""
    api = FastAPI(openapi_url=None)
    wanted = access.expected(store.system)

    def is_stranger(request: Request) -> bool:
        return not access.allowed(request.headers.get("authorization"), wanted)

    @api.get("/epcis/events")
    async def events(request: Request) -> Response:
        if is_stranger(request):
            return _problem(401, "SecurityException", "A valid bearer token is due.")
        query = request.query_params
        unknown = sorted({*query} - _KNOWN)
        if unknown:
            return _problem(
                400, "QueryParameterException", f"This repository does not know {', '.join(unknown)}."
            )
        try:
            since = _moment(query.get("GE_recordTime"))
            size = min(int(query.get("perPage", PAGE)), LARGEST_PAGE)
            place = _place(query.get("nextPageToken"))
        except ValueError as error:
            return _problem(400, "QueryParameterException", str(error))
        if size < 1:
            return _problem(400, "QueryParameterException", "perPage is at least 1")
        found = store.behind("events", since, place, size + 1)
        headers = {}
        if len(found) > size:
            following = urlencode({**query, "nextPageToken": _token(found[size - 1])})
            headers["Link"] = f'<{request.base_url}epcis/events?{following}>; rel="next"'
        return _answer(_document(store, found[:size]), headers)

    @api.get("/epcis/events/{identity:path}")
    async def event(request: Request, identity: str) -> Response:
        if is_stranger(request):
            return _problem(401, "SecurityException", "A valid bearer token is due.")
        found = store.get("events", identity)
        if found is None:
            return _problem(404, "NoSuchResourceException", f"There is no event {identity}.")
        return _answer(texts.dump({"@context": CONTEXT, **texts.parse(found.body)}), {})

    return api


def _document(store: Store, found: list[Document]) -> str:
    head = texts.dump(
        {
            "@context": CONTEXT,
            "type": "EPCISQueryDocument",
            "schemaVersion": "2.0",
            "creationDate": instant(store.clock.now()),
        }
    )
    events = texts.array(document.body for document in found)
    results = f'{{"queryName":"SimpleEventQuery","resultsBody":{{"eventList":{events}}}}}'
    return f'{head[:-1]},"epcisBody":{{"queryResults":{results}}}}}'


def _moment(text: str | None) -> datetime | None:
    """The standard's times have a zone."""
    moment = datetime.fromisoformat(text) if text else None
    if moment and moment.tzinfo is None:
        raise ValueError(f"GE_recordTime {text!r} names no zone")
    return moment


def _token(document: Document) -> str:
    return base64.urlsafe_b64encode(json.dumps([document.modified, document.id]).encode()).decode()


def _place(token: str | None) -> tuple[str, str]:
    if not token:
        return "", ""
    try:
        modified, identity = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, TypeError) as error:
        raise ValueError("nextPageToken is none of this repository") from error
    return str(modified), str(identity)


def _answer(text: str, headers: dict[str, str]) -> Response:
    return Response(text, headers={**_VERSIONS, **headers}, media_type="application/ld+json")


def _problem(status: int, kind: str, detail: str) -> Response:
    body = {"type": f"epcisException:{kind}", "title": kind, "status": status, "detail": detail}
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return Response(texts.dump(body), status, headers, media_type="application/problem+json")
