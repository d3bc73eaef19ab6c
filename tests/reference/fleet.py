"""How much lorries worked, were heard, drove loaded and were filled, by lorry and local day."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import polars as pl

from tests.reference.facts import COLUMNS
from tests.reference.inputs import Inputs
from tests.reference.vehicles import Day, days


def facts(inputs: Inputs) -> pl.DataFrame:
    """A day that is not over, and one on which a lorry does not serve, is in none of them."""
    rows = [fact for day in days(inputs) for fact in _of(day, is_over=day.ends_at <= inputs.as_of)]
    return pl.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in rows], schema=COLUMNS)


def _of(day: Day, *, is_over: bool) -> list[dict[str, Any]]:
    heard, serves = day.working_s + day.idle_s, day.lorry.serves(day.day)
    free, length = (day.length_s - day.workshop_s, day.length_s) if serves else (0.0, 0.0)
    metres = (1000 * round(day.loaded_km, 3), 1000 * round(day.driven_km, 3))
    capacity = day.lorry.vehicle.get("capacity_kg") or 0
    loads = [trip.loaded_kg for trip in day.trips if trip.loaded_kg is not None and capacity > 0]
    offered, loaded = Decimal(capacity * len(loads)), sum(loads, Decimal(0))
    found = [
        ("fleet_utilisation_rate", "default", day.working_s, free, serves, free > 0),
        ("fleet_utilisation_rate", "heard", day.working_s, heard, serves, heard > 0),
        ("telemetry_coverage_rate", "default", heard, length, serves, True),
        ("loaded_km_share", "default", *metres, metres[1] > 0, bool(day.lorry.vehicle)),
        ("load_factor_rate", "default", loaded, offered, bool(day.trips), bool(loads)),
    ]  # fmt: skip
    return [_share(day, *each, is_over=is_over) for each in found]


WHY_NOT = {
    "fleet_utilisation_rate": "not in service", "telemetry_coverage_rate": "not in service",
    "loaded_km_share": "it did not move", "load_factor_rate": "no trip departed",
}  # fmt: skip
UNKNOWN = {
    "default": "in the workshop all day", "heard": "nothing was heard of it",
    "loaded_km_share": "nobody knows which lorry it was", "load_factor_rate": "load or capacity is not known",
}  # fmt: skip


def _share(
    day: Day, metric: str, variant: str, part: float | Decimal, whole: float | Decimal, is_meant: bool,
    is_known: bool, *, is_over: bool,
) -> dict[str, Any]:  # fmt: skip
    lorry, has_told = day.lorry, is_known or metric != "load_factor_rate"
    standing = "out" if not (is_meant and is_over) else "in" if is_known else "excluded"
    whys = {"out": WHY_NOT[metric] if is_over else "the day is not over",
            "excluded": UNKNOWN.get(metric, UNKNOWN[variant])}  # fmt: skip
    return {
        "metric": metric, "variant": variant, "entity_type": "vehicle_day",
        "entity_no": f"{lorry.vehicle.get('vehicle_id') or lorry.device} {day.day}",
        "standing": standing, "why": whys.get(standing), "period_date": day.day, "unit": "ratio",
        "numerator": _whole(part) if has_told else None, "denominator": _whole(whole) if has_told else None,
        "depot_id": lorry.home.get("location_id"), "region": lorry.home.get("region"), "connection": lorry.connection,
    }  # fmt: skip


def _whole(number: float | Decimal) -> int:
    """Half away from zero."""
    return int(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))
