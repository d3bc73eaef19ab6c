"""A small serving copy and state store whose numbers are known: what the page tests compare with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from core.settings import Settings
from state import decisions
from state.decisions import Decision
from state.engine import open_state
from tests.support.approved_rules import NOTHING, let_in

AS_OF = datetime(2026, 11, 13, 17, 0, tzinfo=UTC)
GO_LIVE = date(2026, 11, 10)
_TABLE = """
    CREATE TABLE kpi_values (
        metric VARCHAR, grain VARCHAR, period_start DATE, dimension VARCHAR, dimension_value VARCHAR,
        n BIGINT, numerator DOUBLE, denominator DOUBLE, value DOUBLE, p50 DOUBLE, p90 DOUBLE, p95 DOUBLE,
        n_open BIGINT, n_negative BIGINT, n_excluded BIGINT, unit VARCHAR, currency VARCHAR,
        variant VARCHAR, as_of TIMESTAMPTZ
    )
"""


_FACTS = """
    CREATE TABLE kpi_facts (
        metric VARCHAR, variant VARCHAR, entity_type VARCHAR, entity_id VARCHAR, entity_no VARCHAR,
        standing VARCHAR, why VARCHAR, period_date DATE, unit VARCHAR, currency VARCHAR, duration_s DOUBLE,
        amount DECIMAL(18, 4), numerator BIGINT, made_by VARCHAR
    )
"""


def fact(metric: str, number: int, standing: str, why: str | None = None, **values: Any) -> list[Any]:
    """One row of ``kpi_facts``."""
    base = {"variant": "default", "unit": "s", "currency": None, "duration_s": None, "amount": None,
            "numerator": None, "made_by": None} | values  # fmt: skip
    return [metric, base["variant"], "shipment", f"b{number}", f"CON-{number:05}", standing, why, GO_LIVE,
            base["unit"], base["currency"], base["duration_s"], base["amount"], base["numerator"],
            base["made_by"]]  # fmt: skip


FACTS = [
    *(
        fact("pod_to_invoice_s", number, "in", duration_s=30.0 + number, made_by="waybill")
        for number in range(5)
    ),
    fact("pod_to_invoice_s", 6, "in", duration_s=20.0, made_by="hand"),
    fact("pod_to_invoice_s", 7, "open", "not ended"),
    fact("pod_to_invoice_s", 8, "out", "no proof of delivery"),
    fact("otif_rate", 1, "in", "late", unit="ratio", numerator=0, variant="shipment"),
    fact("otif_rate", 1, "in", unit="ratio", numerator=1, variant="order"),
]


def kpi(metric: str, **values: Any) -> dict[str, Any]:
    """One row of ``kpi_values``; what is not said is the total over everything."""
    base: dict[str, Any] = {
        "metric": metric, "grain": "all", "period_start": None, "dimension": "all", "dimension_value": "all",
        "n": 100, "numerator": None, "denominator": None, "value": None, "p50": None, "p90": None,
        "p95": None, "n_open": 0, "n_negative": 0, "n_excluded": 0, "unit": None, "currency": None,
        "variant": "default", "as_of": AS_OF,
    }  # fmt: skip
    return base | values


def days() -> list[dict[str, Any]]:
    """Daily rows from 20 October to 13 November: by hand for days, by Waybill in seconds."""
    rows = []
    for offset in range(25):
        day = date(2026, 10, 20) + timedelta(days=offset)
        wave = (offset * 7) % 5
        rows.append(
            kpi("order_to_dispatch_s", grain="day", period_start=day, n=30 + wave,
                p50=(20 + wave) * 3600.0, p90=(41 + 2 * wave) * 3600.0)
        )  # fmt: skip
        rows.append(
            kpi(
                "on_time_rate",
                grain="day",
                period_start=day,
                n=30,
                value=0.84 + wave / 100,
                variant="first_confirmed",
            )
        )
        by_hand = day < GO_LIVE
        rows.append(
            kpi("pod_to_invoice_s", grain="day", period_start=day, n=20,
                dimension="made_by", dimension_value="hand" if by_hand else "waybill",
                p50=(4 + wave / 2) * 86_400.0 if by_hand else 31.0 + wave)
        )  # fmt: skip
    return rows


def totals() -> list[dict[str, Any]]:
    """The rows over all time."""
    return [
        kpi("pod_to_invoice_s", n=612, p50=301_200.0, p90=640_000.0, n_open=48),
        kpi("pod_to_invoice_s", dimension="made_by", dimension_value="waybill", n=118, p50=34.0, p90=58.0,
            n_open=48),
        kpi("pod_to_invoice_s", dimension="made_by", dimension_value="hand", n=494, p50=388_800.0,
            p90=691_200.0),
        kpi("delivery_to_invoice_s", n=612, p50=310_000.0, p90=655_000.0),
        kpi("order_to_dispatch_s", n=731, p50=79_320.0, p90=158_400.0, n_open=61, n_negative=2),
        kpi("release_to_dispatch_s", n=731, p50=31_500.0, p90=64_000.0),
        kpi("on_time_rate", n=690, numerator=593, denominator=690, value=593 / 690, variant="first_confirmed"),
        kpi("on_time_rate", n=640, numerator=320, denominator=640, value=0.5, variant="requested"),
        kpi("in_full_rate", n=690, numerator=655, denominator=690, value=655 / 690),
        kpi("otif_rate", n=702, numerator=561, denominator=702, value=561 / 702, variant="shipment"),
        kpi("otif_rate", n=402, numerator=201, denominator=402, value=0.5, variant="order"),
        kpi("first_pass_gate_rate", n=166, numerator=118, denominator=166, value=118 / 166),
        kpi("same_day_invoice_rate", n=166, numerator=118, denominator=166, value=118 / 166),
        kpi("unbilled_delivered_amount", n=31, currency="EUR", value=48_210.55),
        kpi("unbilled_delivered_amount", n=17, currency="JPY", value=3_120_400),
        kpi("unbilled_delivered_amount", dimension="age_days", dimension_value="0-1", n=9, currency="EUR",
            value=12_000.05),
        kpi("unbilled_delivered_amount", dimension="age_days", dimension_value="7+", n=22, currency="EUR",
            value=36_210.5),
        kpi("unbilled_delivered_amount", dimension="age_days", dimension_value="3-7", n=17, currency="JPY",
            value=3_120_400),
    ]  # fmt: skip


def held(number: int, *codes: str, amount: str = "119.00", currency: str = "EUR") -> Decision:
    """A standing decision; without codes it is a release."""
    reasons = [
        {"code": code, "seen": f"seen {number} <b>", "expected": "as agreed", "remedy": f"Mend {code}.",
         "owner": "order-management", "disposition": "APPROVAL" if code == "CUTOFF_MISMATCH" else "BLOCK"}
        for code in codes
    ]  # fmt: skip
    return Decision(
        f"d{number}", f"b{number}", 1, "WBDE", f"SO-{number:05}", f"CON-{number:05}", f"CUST-{number % 7:03}",
        "blocked" if codes else "released", codes, (), reasons, "1" * 64, "2" * 64, NOTHING, "2026-11.1",
        AS_OF, AS_OF, Decimal(amount), currency, "run_1", True,
    )  # fmt: skip


DECISIONS = [
    *(held(number, "POD_MISSING", amount=f"{900 + number}.50") for number in range(1, 10)),
    *(held(number, "PRICE_MISMATCH", "CUTOFF_MISMATCH", amount="1250.00") for number in range(10, 15)),
    *(held(number, "POD_DOCUMENT_REQUIRED", amount="84000", currency="JPY") for number in range(15, 18)),
    held(18, "PO_REFERENCE_REQUIRED"),
    held(19),
]


def publish(settings: Settings, rows: list[dict[str, Any]] | None = None) -> None:
    """Write the serving copy whole, as a run does."""
    settings.serving.parent.mkdir(parents=True, exist_ok=True)
    fresh = settings.serving.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    rows = [*totals(), *days()] if rows is None else rows
    with duckdb.connect(str(fresh)) as copy:
        copy.execute("SET TimeZone = 'UTC'")
        copy.execute(_TABLE)
        marks = ", ".join("?" * len(rows[0]))
        copy.executemany(f"INSERT INTO kpi_values VALUES ({marks})", [list(row.values()) for row in rows])
        copy.execute(_FACTS)
        copy.executemany(f"INSERT INTO kpi_facts VALUES ({', '.join('?' * len(FACTS[0]))})", FACTS)
    fresh.replace(settings.serving)


def decide(settings: Settings) -> None:
    """Fill the state store."""
    engine = open_state(settings)
    let_in(engine, DECISIONS[0].ruleset_version)
    decisions.record(engine, DECISIONS)
    engine.dispose()
