"""What is answered when something is not done: problem documents (RFC 9457), each with a remedy.

Belongs here: the shape, and which failure is which status. A document never repeats what was sent, nor names a file, a table
or a host of ours: whoever reads it may be anybody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from core.disk import DiskFull
from core.errors import WaybillError

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 20
_log = logging.getLogger("waybill.api")


class Problem(Exception):
    """An answer other than the one asked for. ``more`` are further members of the document."""

    def __init__(
        self,
        status: int,
        detail: str,
        remedy: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.remedy = status, detail, remedy
        self.headers, self.more = dict(headers or {}), more

    def answer(self) -> Response:
        """The document."""
        document = {
            "type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status,
            "detail": self.detail, "remedy": self.remedy, **self.more,
        }  # fmt: skip
        return JSONResponse(document, self.status, self.headers, media_type=MEDIA_TYPE)


def busy(detail: str, remedy: str = "Send it again later.", after_s: int = 60) -> Problem:
    """503: nothing was taken in, and waiting may help."""
    return Problem(503, detail, remedy, headers={"Retry-After": str(after_s)})


def told(error: ValidationError | RequestValidationError) -> list[dict[str, str]]:
    """Where a message breaks its contract and what was expected there; nothing of what it said."""
    return [
        {
            "where": ".".join(str(step) for step in each["loc"]),
            "expected": _expected(each),
        }
        for each in list(error.errors())[:_MOST_ERRORS]
    ]


def _expected(error: Mapping[str, Any]) -> str:
    """pydantic's words, but for the one message of its own that repeats what was sent."""
    if error["type"] == "union_tag_invalid":
        return f"{error['ctx']['discriminator']} should be one of {error['ctx']['expected_tags']}"
    return str(error["msg"]).removeprefix("Value error, ")


def unprocessable(errors: Sequence[dict[str, str]], **more: Any) -> Problem:
    """422: it could be read, and is not what is taken here."""
    return Problem(
        422, "It breaks its contract.", "Correct what `errors` names.", errors=list(errors), **more
    )


def answer_problems(app: FastAPI) -> None:
    """Turn every failure into its document."""

    @app.exception_handler(Problem)
    async def _problem(_: Request, problem: Problem) -> Response:
        return problem.answer()

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> Response:
        return unprocessable(told(error)).answer()

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        remedy = "GET /v1/openapi.json says what there is."
        return Problem(error.status_code, str(error.detail), remedy, headers=headers).answer()

    @app.exception_handler(WaybillError)
    async def _own(_: Request, error: WaybillError) -> Response:
        _log.error("%s", error)
        return busy("This cannot be answered now.", error.remedy).answer()

    # A full disk, a lock that is not let go of, a server that is away: the transaction is off, and nothing was kept.
    @app.exception_handler(DBAPIError)
    async def _store(_: Request, error: DBAPIError) -> Response:
        _log.error("the state store refused: %s", type(error.orig).__name__)
        return busy("Nothing was kept: the store does not take it now.").answer()

    @app.exception_handler(DiskFull)
    @app.exception_handler(OSError)
    async def _disk(_: Request, error: DiskFull | OSError) -> Response:
        _log.error("the disk refused: %s", error.strerror if isinstance(error, OSError) else error)
        return busy("Nothing was kept: the disk does not take it now.").answer()

    @app.exception_handler(Exception)
    async def _unforeseen(_: Request, error: Exception) -> Response:
        _log.error("unforeseen: %s", type(error).__name__)
        return Problem(500, "Something went wrong here.", "Send it again later.").answer()
