"""The result document of one run: read back from the stores, so that it says what is there."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from cli.output import table
from core.settings import Settings
from core.warehouse import open_serving
from orchestration.run import RunOutcome

HEADLINES = (
    "order_to_dispatch_s",
    "release_to_dispatch_s",
    "pod_to_invoice_s",
    "delivery_to_invoice_s",
    "delivered_to_captured_s",
    "captured_to_received_s",
    "received_to_released_s",
    "released_to_posted_s",
    "on_time_rate",
    "in_full_rate",
    "otif_rate",
    "first_pass_gate_rate",
    "unbilled_delivered_amount",
)


def result_document(settings: Settings, outcome: RunOutcome, truth: str | None) -> dict[str, Any]:
    """The document that ``--json`` prints; ``truth`` is the sandbox's file, None without a sandbox."""
    from state.engine import open_state
    from state.home import where
    from state.ingest_counts import of_run

    engine = open_state(settings)
    return {
        "sources": [
            {
                "connection": each.connection,
                "source": each.source,
                "resource": each.resource,
                "rows_in": each.rows_in,
                "loaded": each.loaded,
                "dead_lettered": each.dead_lettered,
                "duplicate": each.duplicate,
                "parked": each.parked,
            }
            for each in of_run(engine, outcome.run_id)
        ],
        "shipments": _serving_value(settings, "SELECT count(*) FROM marts.fct_shipments"),
        "invoices": _invoices(settings, outcome),
        "kpis": _kpis(settings),
        "paths": {
            "warehouse": str(settings.warehouse),
            "serving": str(settings.serving),
            "state": where(settings),
            "truth": truth,
            "data_docs": str(settings.data_docs / "index.html"),
        },
        "seconds": outcome.seconds,
        "problems": outcome.problems,
    }


def _invoices(settings: Settings, outcome: RunOutcome) -> dict[str, Any]:
    from state.decisions import latest
    from state.engine import open_state

    decisions = list(latest(open_state(settings)).values())
    verdicts = Counter(each.verdict for each in decisions)
    push = outcome.push
    return {
        "candidates": len(decisions),
        "released": verdicts["released"],
        "blocked": verdicts["blocked"],
        "blocked_by_code": dict(
            sorted(
                Counter(
                    code for each in decisions if each.verdict == "blocked" for code in each.codes
                ).items()
            )
        ),
        "posted": push.get("posted", 0),
        "already_posted": push.get("already posted", 0),
        "failed": push.get("failed", 0) + push.get("held", 0) + push.get("blocked at recheck", 0),
        "amount_by_currency": push.get("amounts", {}),
    }


def _kpis(settings: Settings) -> list[dict[str, Any]]:
    """Every metric over all time and all dimensions, headline metrics first."""
    columns = ("metric", "variant", "currency", "unit", "n", "value", "p50", "p90", "p95")
    if not settings.serving.exists():
        return []
    with open_serving(settings) as marts:
        rows = marts.execute(
            f"SELECT {', '.join(columns)} FROM marts.kpi_values "
            "WHERE grain = 'all' AND dimension = 'all' AND n + n_open > 0 ORDER BY metric, variant, currency"
        ).fetchall()
    found = [dict(zip(columns, map(_number, row), strict=True)) for row in rows]
    order = {metric: position for position, metric in enumerate(HEADLINES)}
    return sorted(found, key=lambda each: order.get(each["metric"], len(order)))


def _number(value: Any) -> Any:
    """A decimal as a JSON number: these are measurements, not money to be posted."""
    return float(value) if isinstance(value, Decimal) else value


def _serving_value(settings: Settings, sql: str) -> int:
    if not settings.serving.exists():
        return 0
    with open_serving(settings) as marts:
        row = marts.execute(sql).fetchone()
    return int(row[0]) if row else 0


def print_result(document: dict[str, Any]) -> None:
    """The same document for people."""
    names = ("connection", "source", "resource", "rows_in", "loaded", "dead_lettered", "duplicate", "parked")
    table(
        "Sources",
        [each.replace("_", " ") for each in names],
        [[source[name] for name in names] for source in document["sources"]],
    )
    invoices = document["invoices"]
    table(
        f"Invoices for {document['shipments']:,} shipments",
        ["", "n"],
        [
            *([name.replace("_", " "), invoices[name]] for name in _COUNTS),
            *([f"posted amount {code}", amount] for code, amount in invoices["amount_by_currency"].items()),
        ],
    )
    if invoices["blocked_by_code"]:
        table("Blocked, by reason", ["code", "n"], list(invoices["blocked_by_code"].items()))
    table(
        "KPIs, all periods",
        ["metric", "variant", "unit", "n", "value", "p50", "p90", "p95"],
        [_kpi_row(each) for each in document["kpis"]],
    )
    table("Where it is", ["", "path"], list(document["paths"].items()))
    table("Seconds", ["stage", "s"], list(document["seconds"].items()))


_COUNTS = ("candidates", "released", "blocked", "posted", "already_posted", "failed")


def _kpi_row(kpi: dict[str, Any]) -> list[object]:
    unit = kpi["currency"] or kpi["unit"]
    return [
        kpi["metric"],
        None if kpi["variant"] == "default" else kpi["variant"],
        unit,
        kpi["n"],
        # The median stands under its own name; a mean stands here.
        None if kpi["unit"] == "s" and _is_median(kpi) else _human(kpi["value"], kpi["unit"]),
        *(_human(kpi[name], kpi["unit"]) for name in ("p50", "p90", "p95")),
    ]


def _is_median(kpi: dict[str, Any]) -> bool:
    value, p50 = kpi["value"], kpi["p50"]
    return value is None or (p50 is not None and round(float(value), 6) == round(float(p50), 6))


def _human(value: Any, unit: str) -> object:
    """Durations as days, hours and minutes, rates as per cent; None stays None."""
    if value is None:
        return None
    if unit == "s":
        # Of an ETA's bias the sign is the news: an arrival before it was told.
        sign = "−" if round(float(value)) < 0 else ""
        minutes, seconds = divmod(abs(round(float(value))), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        if days:
            return f"{sign}{days} d {hours} h"
        return sign + (f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s")
    if unit in {"ratio", "rate"}:
        return f"{float(value):.1%}"
    return f"{value:,.2f}"
