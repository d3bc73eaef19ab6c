"""Proof of delivery: the Onfleet dialect, tasks and the CDN path of their photos and signatures.

Belongs here: paths, paging by ``lastId``, errors. Pages are larger than the vendor's 64 (see the README).
"""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import FastAPI, Request, Response

from sandbox.servers import access, texts
from sandbox.servers.store import Store

PAGE = 500


def app(store: Store) -> FastAPI:
    """GET /api/v2/tasks/all?from=<ms>&lastId=, /api/v2/tasks/{id}, /cdn/uploads/{id}."""
    api = FastAPI(openapi_url=None)
    wanted = access.expected("pod")

    def refused(request: Request) -> bool:
        return not access.allowed(request.headers.get("authorization"), wanted)

    @api.get("/api/v2/tasks/all")
    async def tasks(request: Request) -> Response:
        if refused(request):
            return _unauthorized()
        try:
            since = datetime.fromtimestamp(int(request.query_params["from"]) / 1000, UTC)
        except (KeyError, ValueError, OverflowError, OSError):
            return _error(400, "InvalidArgument", 1000, "The parameter from is required: milliseconds.")
        found = store.after_id("tasks", since, request.query_params.get("lastId", ""), PAGE + 1)
        page = found[:PAGE]
        last = f',"lastId":{texts.dump(page[-1].id)}' if len(found) > PAGE else ""
        return _json(f'{{"tasks":{texts.array(document.body for document in page)}{last}}}')

    @api.get("/api/v2/tasks/{identity}")
    async def task(request: Request, identity: str) -> Response:
        if refused(request):
            return _unauthorized()
        document = store.get("tasks", identity)
        return _json(document.body) if document else _missing()

    @api.get("/cdn/uploads/{identity:path}")
    async def upload(request: Request, identity: str) -> Response:
        if refused(request):
            return _unauthorized()
        found = store.file(identity)
        return Response(found[1], media_type=found[0]) if found else _missing()

    return api


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _unauthorized() -> Response:
    return _error(401, "InvalidCredentials", 1102, "The authorization key is not valid.")


def _missing() -> Response:
    return _error(404, "ResourceNotFound", 1402, "The requested resource does not exist.")


def _error(status: int, code: str, number: int, message: str) -> Response:
    detail = {"error": number, "message": message, "cause": message, "request": "sandbox"}
    return Response(texts.dump({"code": code, "message": detail}), status, media_type="application/json")
