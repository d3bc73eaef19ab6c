"""ERP: the Frappe/ERPNext REST dialect over the world's documents and the invoices written since.

Belongs here: routes, authorization, answers. Lists, invoices and errors are in the modules beside it.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, Request, Response

from sandbox.servers import access, frappe_deliveries, frappe_invoices, frappe_issues, texts
from sandbox.servers.frappe_deliveries import DeliveryNotes
from sandbox.servers.frappe_documents import DOCTYPES, KEY, Documents
from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_invoices import Invoices, dump
from sandbox.servers.frappe_issues import Issues
from sandbox.servers.frappe_query import read
from sandbox.servers.store import Store


def app(store: Store) -> FastAPI:
    """/api/resource/{doctype}[/{name}]: GET for all doctypes; POST, PUT, DELETE for sales invoices, delivery notes and
    issues; PUT for whether the custom field of an invoice's or an issue's key is unique."""
    api = FastAPI(openapi_url=None)
    documents = Documents(store)
    written = {
        frappe_invoices.DOCTYPE: Invoices(documents),
        frappe_deliveries.DOCTYPE: DeliveryNotes(documents),
        frappe_issues.DOCTYPE: Issues(documents),
    }
    customizable = {
        f"{each}-{KEY}": written[each] for each in (frappe_invoices.DOCTYPE, frappe_issues.DOCTYPE)
    }
    wanted = access.expected("erp")

    @api.exception_handler(FrappeError)
    async def refused(_: Request, error: FrappeError) -> Response:
        return Response(error.body(), error.status, media_type="application/json")

    def authorize(request: Request) -> None:
        header = request.headers.get("authorization")
        if header is None:
            raise FrappeError("PermissionError", "Login to access")
        if not access.allowed(header, wanted):
            raise FrappeError("AuthenticationError", "Invalid API key or secret")

    @api.get("/api/method/frappe.auth.get_logged_user")
    async def logged_user(request: Request) -> Response:
        authorize(request)
        return _json('{"message":"integration@sandbox.invalid"}')

    @api.get("/api/resource/{doctype}")
    async def listing(request: Request, doctype: str) -> Response:
        authorize(request)
        parameters = request.query_params
        rows = documents.rows(doctype, read(parameters), parameters.get("parent"))
        return _json(f'{{"data":{texts.dump(list(rows))}}}')

    @api.get("/api/resource/{doctype}/{name:path}")
    async def one(request: Request, doctype: str, name: str) -> Response:
        authorize(request)
        if doctype not in DOCTYPES:
            raise FrappeError("DoesNotExistError", f"DocType {doctype} not found")
        return _json(f'{{"data":{texts.dump(documents.get(doctype, name))}}}')

    @api.post("/api/resource/{doctype}")
    async def create(request: Request, doctype: str) -> Response:
        authorize(request)
        made = _writable(written, doctype).create(_given(await request.body()))
        return _json(f'{{"data":{dump(made)}}}')

    @api.put("/api/resource/Custom Field/{field}")
    async def customize(request: Request, field: str) -> Response:
        authorize(request)
        if field not in customizable:
            raise FrappeError("DoesNotExistError", f"Custom Field {field} not found")
        kept = customizable[field]
        kept.is_key_unique = bool(_given(await request.body()).get("unique", kept.is_key_unique))
        return _json(dump({"data": {"fieldname": KEY, "unique": int(kept.is_key_unique)}}))

    @api.put("/api/resource/{doctype}/{name:path}")
    async def change(request: Request, doctype: str, name: str) -> Response:
        authorize(request)
        changed = _writable(written, doctype).change(name, _given(await request.body()))
        return _json(f'{{"data":{dump(changed)}}}')

    @api.delete("/api/resource/{doctype}/{name:path}")
    async def remove(request: Request, doctype: str, name: str) -> Response:
        authorize(request)
        _writable(written, doctype).delete(name)
        return Response('{"message":"ok"}', 202, media_type="application/json")

    return api


def _writable(written: dict[str, Invoices], doctype: str) -> Invoices:
    if doctype not in written:
        raise FrappeError("PermissionError", f"Insufficient Permission for {doctype}")
    return written[doctype]


def _given(body: bytes) -> dict[str, Any]:
    """The request's document; ERPNext also takes it wrapped in ``data``."""
    try:
        given = json.loads(body, parse_float=Decimal)
        if isinstance(given, dict) and isinstance(given.get("data"), dict):
            given = given["data"]
    except ValueError as error:
        raise FrappeError("ValidationError", f"The body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise FrappeError("ValidationError", "The body is a JSON object")
    return given


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
