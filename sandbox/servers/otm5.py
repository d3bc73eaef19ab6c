"""Dispatch and the TMS: the Open Trip Model 5 dialect, entities by id as published, and our documented list extension.

Belongs here: paths, paging and errors of both. The bodies are the world's and are served untouched.
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response

from sandbox.servers import access, texts
from sandbox.servers.store import Store

COLLECTIONS = {
    "dispatch": ("locations", "vehicles", "actors", "trips", "routes", "consignments", "actions"),
    "tms": ("actions",),
}
PAGE, LARGEST_PAGE = 500, 1000


def app(store: Store) -> FastAPI:
    """GET /api/v5/{collection}?modifiedSince=&limit=&offset= and GET /api/v5/{collection}/{id}."""
    api = FastAPI(openapi_url=None)
    wanted = access.expected(store.system)

    def refusal(request: Request, collection: str) -> Response | None:
        if not access.allowed(request.headers.get("authorization"), wanted):
            return _problem(401, "A valid bearer token is due.", {"www-authenticate": "Bearer"})
        if collection not in COLLECTIONS[store.system]:
            return _problem(404, f"There is no collection {collection}.")
        return None

    @api.get("/api/v5/{collection}")
    async def listing(request: Request, collection: str) -> Response:
        refused = refusal(request, collection)
        if refused:
            return refused
        query = request.query_params
        try:
            since = _moment(query.get("modifiedSince"))
            limit = min(int(query.get("limit", PAGE)), LARGEST_PAGE)
            offset = int(query.get("offset", 0))
        except ValueError as error:
            return _invalid(str(error))
        if limit < 1 or offset < 0:
            return _invalid("limit is at least 1, offset at least 0")
        found = store.page(collection, since, limit + 1, offset)
        items = texts.array(document.body for document in found[:limit])
        more = "true" if len(found) > limit else "false"
        return _json(f'{{"items":{items},"hasMore":{more}}}')

    @api.get("/api/v5/{collection}/{identity:path}")
    async def one(request: Request, collection: str, identity: str) -> Response:
        refused = refusal(request, collection)
        if refused:
            return refused
        document = store.get(collection, identity)
        return _json(document.body) if document else Response(status_code=404)

    return api


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _invalid(message: str) -> Response:
    found = {"type": "invalidField", "path": "query", "message": message}
    return Response(texts.dump([found]), 400, media_type="application/json")


def _problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return Response(texts.dump({"message": message}), status, headers, media_type="application/json")
