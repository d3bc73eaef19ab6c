"""The application: routes, limits, headers and errors as problem documents (RFC 9457).

Read-only and without keys so far, so it listens on loopback and answers to loopback's names alone.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.kpis import MOST, Wanted, published
from contracts.kpi import Dimension, Grain, KpiPage
from core.errors import WaybillError
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
_ANSWERS: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "Nothing was published yet.",
        "content": {
            "application/problem+json": {
                "example": {
                    "type": "about:blank",
                    "title": "Service Unavailable",
                    "status": 503,
                    "detail": "There is no serving copy.",
                    "remedy": "Run `waybill run` first.",
                }
            }
        },
    },
}


def create_app(settings: Settings) -> FastAPI:
    """The API over one installation."""
    app = FastAPI(
        title="Waybill",
        version=VERSION,
        summary="What Waybill knows of shipments and their invoices, for other programs.",
        openapi_url="/v1/openapi.json",
        # The usual browsers of such documents load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)

    @app.get("/v1/kpis", tags=["numbers"], summary="Published numbers", responses=_ANSWERS)
    def _kpis(
        metric: Annotated[
            str | None, Query(description="One metric; all when left out.", examples=["pod_to_invoice_s"])
        ] = None,
        variant: Annotated[str | None, Query(description="One variant.", examples=["default"])] = None,
        grain: Annotated[Grain, Query(description="Length of the periods.", examples=["week"])] = "all",
        dimension: Annotated[Dimension, Query(description="What to cut by.", examples=["made_by"])] = "all",
        dimension_value: Annotated[str | None, Query(description="One value.", examples=["waybill"])] = None,
        limit: Annotated[int, Query(ge=1, le=MOST, description="Rows of one answer.")] = 1000,
        offset: Annotated[int, Query(ge=0, description="Rows to leave out, as ``next_offset`` said.")] = 0,
    ) -> KpiPage:
        """The numbers of ``kpi_values`` as they were published last, in a stable order. No row is no error."""
        return published(settings, Wanted(metric, variant, grain, dimension, dimension_value, limit, offset))

    @app.get("/healthz", include_in_schema=False)
    def _health() -> dict[str, str]:
        return {"status": "ok", "serving": "published" if settings.serving.exists() else "empty"}

    @app.exception_handler(WaybillError)
    async def _own(_: Request, error: WaybillError) -> Response:
        told = {
            "type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": error.message,
            "remedy": error.remedy,
        }  # fmt: skip
        return JSONResponse(told, 503, {"Retry-After": "60"}, media_type="application/problem+json")

    # Put in afterwards: FastAPI leaves out what is null in an example.
    answer = app.openapi()["paths"]["/v1/kpis"]["get"]["responses"]["200"]
    answer["content"]["application/json"]["example"] = _EXAMPLE
    return app
