"""The application: routes, headers and error pages. What a page shows is put together elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException as StarletteHTTPException

from core.errors import WaybillError
from core.settings import Settings
from dashboard import data, words
from dashboard.drill import SHOWN, drill
from dashboard.metrics import BY_NAME
from dashboard.overview import overview
from dashboard.waiting import DRAFTS_SHOWN, waiting
from dashboard.waiting import SHOWN as LETTERS_SHOWN
from state.decisions import PASSING

HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(settings: Settings) -> FastAPI:
    """The pages over one installation."""
    app = FastAPI(title="Waybill", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    pages = Jinja2Templates(directory=HERE / "templates")
    for name in ("duration", "rate", "measure", "money", "instant", "day"):
        pages.env.filters[name] = getattr(words, name)

    @app.middleware("http")
    async def _headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(HEADERS)
        return response

    @app.get("/", response_class=HTMLResponse)
    def _overview(request: Request) -> Response:
        return pages.TemplateResponse(request, *_overview_page(settings))

    @app.get("/blocked", response_class=HTMLResponse)
    def _blocked(request: Request) -> Response:
        held = data.blocked(settings)
        return pages.TemplateResponse(
            request, "blocked.html", {"held": held, "reasons": data.by_reason(held), "code": None}
        )

    @app.get("/blocked/{code}", response_class=HTMLResponse)
    def _blocked_by(request: Request, code: str) -> Response:
        held = data.blocked(settings)
        reasons = data.by_reason(held)
        reason = next((each for each in reasons if each.code == code), None)
        if reason is None:
            raise HTTPException(404, "No invoice is blocked for this reason.")
        rows = [
            (decision, told)
            for decision in held
            for told in decision.reasons
            if told["code"] == code and told["disposition"] not in PASSING
        ]
        return pages.TemplateResponse(
            request, "reason.html", {"reason": reason, "rows": rows, "reasons": reasons}
        )

    @app.get("/waiting", response_class=HTMLResponse)
    def _waiting(request: Request) -> Response:
        told = {"waiting": waiting(settings), "shown": LETTERS_SHOWN}
        return pages.TemplateResponse(request, "waiting.html", told)

    @app.get("/metric/{name}", response_class=HTMLResponse)
    def _metric(request: Request, name: str) -> Response:
        metric = BY_NAME.get(name)
        found = drill(settings, name) if metric is not None else None
        if found is None:
            raise HTTPException(404, "There is no number of this name.")
        return pages.TemplateResponse(
            request, "metric.html", {"metric": metric, "drill": found, "shown": SHOWN}
        )

    @app.get("/healthz")
    def _health() -> dict[str, str]:
        return {"status": "ok", "serving": "published" if data.version(settings) else "empty"}

    _error_pages(app, pages)
    return app


def _overview_page(settings: Settings) -> tuple[str, dict[str, Any]]:
    marts = data.read_marts(settings)
    if marts is None:
        return "empty.html", {}
    held = data.blocked(settings)
    drawn = _drawn(settings, data.version(settings), tuple(each.decision_id for each in held))
    return "overview.html", {**drawn, "waiting": waiting(settings), "shown_drafts": DRAFTS_SHOWN}


@lru_cache(maxsize=4)
def _drawn(settings: Settings, _version: int, _held: tuple[str, ...]) -> dict[str, Any]:
    """The overview with its charts, drawn once per version of the marts and of the standing decisions."""
    marts = data.read_marts(settings)
    assert marts is not None
    return overview(marts, data.blocked(settings))


def _error_pages(app: FastAPI, pages: Jinja2Templates) -> None:
    """Errors as pages that say what to do."""

    @app.exception_handler(StarletteHTTPException)
    async def _http(request: Request, error: StarletteHTTPException) -> Response:
        told = {
            "status": error.status_code,
            "message": error.detail,
            "remedy": "Start again at the overview.",
        }
        return pages.TemplateResponse(request, "error.html", told, status_code=error.status_code)

    @app.exception_handler(WaybillError)
    async def _own(request: Request, error: WaybillError) -> Response:
        told = {"status": 503, "message": error.message, "remedy": error.remedy}
        return pages.TemplateResponse(request, "error.html", told, status_code=503)
