"""Proof of delivery of one depot: an app whose evidence is behind signed links that expire after an hour.

Belongs here: listing deliveries, signing links, refusing old ones. A link that the world planted (an absolute
``url``) and an expiry that it planted (``expires_at``) are served as they stand.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import FastAPI, Request, Response

from sandbox.servers import access, texts
from sandbox.servers.store import Document, Store

PAGE = 200
LINK_LIFE = timedelta(hours=1)
_KEY = b"sandbox-link-signing"


def app(store: Store) -> FastAPI:
    """GET /v1/deliveries?updated_since=&page=, /v1/deliveries/{id}, /files/{id}?expires=&sig= ."""
    api = FastAPI(openapi_url=None)
    wanted = access.expected("depot_pod")

    def refused(request: Request) -> bool:
        return not access.allowed(request.headers.get("authorization"), wanted)

    @api.get("/v1/deliveries")
    async def deliveries(request: Request) -> Response:
        if refused(request):
            return _error(401, "token missing or wrong")
        try:
            since = _moment(request.query_params.get("updated_since"))
            number = int(request.query_params.get("page", 1))
        except ValueError as error:
            return _error(400, str(error))
        if number < 1:
            return _error(400, "page is at least 1")
        found = store.page("deliveries", since, PAGE + 1, (number - 1) * PAGE)
        bodies = texts.array(_signed(store, document, request) for document in found[:PAGE])
        following = number + 1 if len(found) > PAGE else "null"
        return _json(f'{{"deliveries":{bodies},"next_page":{following}}}')

    @api.get("/v1/deliveries/{identity}")
    async def delivery(request: Request, identity: str) -> Response:
        if refused(request):
            return _error(401, "token missing or wrong")
        document = store.get("deliveries", identity)
        return _json(_signed(store, document, request)) if document else _error(404, "no such delivery")

    @api.get("/files/{identity:path}")
    async def file(request: Request, identity: str) -> Response:
        expires = request.query_params.get("expires", "")
        sig = request.query_params.get("sig", "")
        if not hmac.compare_digest(sig.encode("utf-8", "replace"), _signature(identity, expires).encode()):
            return _error(403, "signature does not match")
        if store.clock.now() >= datetime.fromtimestamp(int(expires), UTC):
            return _error(410, "link has expired; list the delivery again for a new one")
        found = store.file(identity)
        return Response(found[1], media_type=found[0]) if found else _error(404, "no such file")

    return api


def _signed(store: Store, document: Document, request: Request) -> str:
    """The delivery with a link for each of its documents, good for an hour from now."""
    body = texts.parse(document.body)
    for each in body.get("documents") or []:
        if isinstance(each, dict) and "://" not in str(each.get("url") or ""):
            _sign(each, str(request.base_url), store.clock.now())
    return texts.dump(body)


def _sign(document: dict[str, Any], base: str, now: datetime) -> None:
    planted = document.get("expires_at")
    expires_at = _moment(str(planted)) if planted else None
    expires_at = expires_at or now + LINK_LIFE
    expires = str(int(expires_at.timestamp()))
    identity = str(document["id"])
    document["expires_at"] = expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    document["url"] = f"{base}files/{identity}?expires={expires}&sig={_signature(identity, expires)}"


def _signature(identity: str, expires: str) -> str:
    return hmac.new(_KEY, f"{identity}\n{expires}".encode(), hashlib.sha256).hexdigest()


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")


def _error(status: int, message: str) -> Response:
    return Response(texts.dump({"error": message}), status, media_type="application/json")
