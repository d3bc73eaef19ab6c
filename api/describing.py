"""How routes that read their bodies themselves are described: the contract of the body, and every answer.

Belongs here: OpenAPI. The contracts' schemas stand under their own names in its components.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api import answers
from api.answers import ProblemDocument
from api.problems import MEDIA_TYPE
from contracts.cloud_events import CloudEventBatch
from contracts.examples import EXAMPLES
from contracts.message_kinds import CAPABILITIES, WEBHOOKS

_REF = "#/components/schemas/{model}"
BODIES: tuple[type[BaseModel], ...] = (*CAPABILITIES, *WEBHOOKS, CloudEventBatch)

_WORDS = {
    400: "It is no JSON, or nested too deep.", 401: "No live key or no good signature came with it.",
    403: "The key has not the scope.", 404: "It is not there for this partner.",
    408: "The body did not come in time.", 409: "The id came before with another body.",
    413: "It is too large.", 415: "Its type or encoding is not taken.", 422: "It breaks its contract.",
    429: "Too many requests; `Retry-After` says when.", 503: "Nothing was kept; `Retry-After` says when to try again.",
}  # fmt: skip


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problem documents that a route may answer."""
    schema = {"schema": {"$ref": _REF.format(model=ProblemDocument.__name__)}}
    return {each: {"description": _WORDS[each], "content": {MEDIA_TYPE: schema}} for each in statuses}


READS = problems(401, 403, 404, 422, 429, 503)
WRITES = problems(400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
SIGNED = problems(400, 401, 404, 408, 409, 413, 415, 422, 429, 503)


def body(*models: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """The request body of a route, by its contracts."""
    refs: list[Any] = [{"$ref": _REF.format(model=each.__name__)} for each in models]
    content: dict[str, Any] = {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}
    content["examples"] = {name: {"value": EXAMPLES[name]} for each in models for name in (each.__name__,)}
    return {"requestBody": {"required": True, "content": {media_type: content}}}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document with the contracts' schemas in it."""
    document = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes, openapi_version="3.1.0"
    )
    _, found = models_json_schema(
        [*((each, "validation") for each in BODIES), (ProblemDocument, "serialization")], ref_template=_REF
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(found["$defs"])
    # FastAPI describes its own error body, which is never answered here.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, schema in schemas.items():
        # Put in again: FastAPI leaves out what is null in an example.
        schema.update(answers.EXAMPLES.get(name, {}))
    return document
