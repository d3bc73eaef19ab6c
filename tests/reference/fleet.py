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
    rows = [fact for day in days(inputs) if day.ends_at <= inputs.as_of for fact in _of(day)]
    return pl.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in rows], schema=COLUMNS)


def _of(day: Day) -> list[dict[str, Any]]:
    heard, found = day.working_s + day.idle_s, []
    if day.lorry.serves(day.day):
        free = day.length_s - day.workshop_s
        found += [
            _share(day, "fleet_utilisation_rate", day.working_s, free, is_known=free > 0),
            _share(day, "fleet_utilisation_rate", day.working_s, heard, is_known=heard > 0, variant="heard"),
            _share(day, "telemetry_coverage_rate", heard, day.length_s),
        ]
    if round(day.driven_km, 3) > 0:
        metres = (1000 * day.loaded_km, 1000 * day.driven_km)
        found.append(_share(day, "loaded_km_share", *metres, is_known=bool(day.lorry.vehicle)))
    if day.trips:
        capacity = day.lorry.vehicle.get("capacity_kg") or 0
        loads = [trip.loaded_kg for trip in day.trips if trip.loaded_kg is not None and capacity > 0]
        offered = Decimal(capacity * len(loads))
        found.append(_share(day, "load_factor_rate", sum(loads, Decimal(0)), offered, is_known=bool(loads)))
    return found


def _share(
    day: Day, metric: str, part: float | Decimal, whole: float | Decimal, *, is_known: bool = True,
    variant: str = "default",
) -> dict[str, Any]:  # fmt: skip
    lorry, has_told = day.lorry, is_known or metric != "load_factor_rate"
    return {
        "metric": metric, "variant": variant, "entity_type": "vehicle_day",
        "entity_no": f"{lorry.vehicle.get('vehicle_id') or lorry.device} {day.day}",
        "standing": "in" if is_known else "excluded", "period_date": day.day, "unit": "ratio",
        "numerator": _whole(part) if has_told else None, "denominator": _whole(whole) if has_told else None,
        "depot_id": lorry.home.get("location_id"), "region": lorry.home.get("region"), "connection": lorry.connection,
    }  # fmt: skip


def _whole(number: float | Decimal) -> int:
    """Half away from zero."""
    return int(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))
