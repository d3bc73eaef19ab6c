"""The application: its routes, what every request passes, and its description.

It listens on loopback and answers to loopback's names alone, so that a web page cannot reach it under a name of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api import capabilities, documents, events, messages, shipments, webhooks
from api.access import Caller, may
from api.crowd import Crowd
from api.describing import READS, describe
from api.gateway import Gateway
from api.kpis import MOST, Wanted, published
from api.problems import answer_problems
from api.rates import Rates
from api.request_log import RequestLog
from contracts.kpi import Dimension, Grain, KpiPage
from core.settings import Settings

VERSION = "1.0.0"
LOOPBACK = ["127.0.0.1", "localhost"]
_EXAMPLE = {
    "rows": [
        {
            "metric": "pod_to_invoice_s", "variant": "default", "grain": "week", "period_start": "2026-11-09",
            "dimension": "made_by", "dimension_value": "waybill", "unit": "s", "currency": None, "n": 118,
            "numerator": None, "denominator": None, "value": "34.000000", "p50": 34.0, "p90": 58.0, "p95": 61.5,
            "n_open": 48, "n_negative": 0, "n_excluded": 2, "as_of": "2026-11-13T17:00:00Z",
        }
    ],
    "next_offset": None,
}  # fmt: skip


class _Application(FastAPI):
    """Describes itself with the contracts' schemas; FastAPI asks ``openapi`` for it."""

    @cached_property
    def _document(self) -> dict[str, Any]:
        document = describe(self)
        # Put in afterwards: FastAPI leaves out what is null in an example.
        answer = document["paths"]["/v1/kpis"]["get"]["responses"]["200"]
        answer["content"]["application/json"]["example"] = _EXAMPLE
        return document

    def openapi(self) -> dict[str, Any]:
        """The document, made once all routes are there."""
        return self._document


def create_app(settings: Settings, rates: Rates | None = None) -> FastAPI:
    """The API over one installation. ``rates``: how often an address and a key may ask, if not as the settings say."""
    gateway = Gateway(settings, rates or Rates.of(settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        gateway.close()

    app = _Application(
        title="Waybill",
        version=VERSION,
        summary="What partners tell Waybill of shipments, and what it knows of them and their invoices.",
        openapi_url="/v1/openapi.json",
        # The usual browsers of such documents load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.gateway = gateway
    # The last one is asked first.
    app.add_middleware(Crowd)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)
    # Around all others: also who is refused for his host's name has a line, and an answer that nobody keeps.
    app.add_middleware(RequestLog)
    answer_problems(app)
    for each in (capabilities, events, documents, messages, shipments, webhooks):
        app.include_router(each.router)
    _numbers(app, settings)

    @app.get("/healthz", include_in_schema=False)
    def _health() -> dict[str, str]:
        return {"status": "ok", "serving": "published" if settings.serving.exists() else "empty"}

    app.openapi()  # now, and not while the first who asks waits
    return app


def _numbers(app: FastAPI, settings: Settings) -> None:
    @app.get("/v1/kpis", tags=["numbers"], summary="Published numbers", responses=READS)
    async def _kpis(
        caller: Annotated[Caller, Depends(may("kpis:read"))],
        metric: Annotated[
            str | None, Query(description="One metric; all when left out.", examples=["pod_to_invoice_s"])
        ] = None,
        variant: Annotated[str | None, Query(description="One variant.", examples=["default"])] = None,
        grain: Annotated[Grain, Query(description="Length of the periods.", examples=["week"])] = "all",
        dimension: Annotated[Dimension, Query(description="What to cut by.", examples=["made_by"])] = "all",
        dimension_value: Annotated[str | None, Query(description="One value.", examples=["waybill"])] = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="Rows of one answer.")] = 1000,
        offset: Annotated[
            int, Query(ge=0, le=2**53, description="Rows to leave out, as ``next_offset`` said.")
        ] = 0,
    ) -> KpiPage:
        """The numbers of ``kpi_values`` as they were published last, in a stable order. No row is no error. Cut by customer, carrier
        or connection they are those of what the caller reaches; all others are of the whole installation."""
        wanted = Wanted(metric, variant, grain, dimension, dimension_value, limit, offset)
        return await asyncio.to_thread(published, settings, caller.connection, wanted)
