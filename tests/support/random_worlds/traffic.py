"""What happens to lorries, predictions and messages in a set of worlds, counted from their raw rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from tests.support.random_worlds.world import Row

Rows = Mapping[tuple[str, str], Sequence[Row]]


def traffic(rows: Rows) -> dict[str, int]:
    """How often each situation occurs."""
    return {**_lorries(rows), **_arrivals(rows), **_messages(rows)}


def _lorries(rows: Rows) -> dict[str, int]:
    fixes, vehicles = rows["telematics", "positions"], rows["dispatch", "vehicles"]
    known = {row["device_id"] for row in vehicles}
    heard = {row["device_id"] for row in fixes}
    long = [b["positioned_at"] - a["positioned_at"] > timedelta(minutes=15) for a, b in pairwise(fixes)]
    orders = rows["maintenance", "maintenance_orders"]
    return {
        "a silence of a lorry's unit": sum(long),
        "a position that cannot be": sum(row["quality"] != "ok" for row in fixes),
        "a unit without an ignition": sum(row["ignition"] is None for row in fixes),
        "a unit that nobody knows": len(heard - known),
        "a lorry that is silent": len(known - heard),
        "a lorry that left the service": sum(row["in_service_until"] is not None for row in vehicles),
        "a workshop order that goes on": sum(row["status"] == "started" for row in orders),
        "a load that nobody weighed": sum(
            row.get("weight_kg") is None for row in rows["dispatch", "consignment_lines"]
        ),
    }


def _arrivals(rows: Rows) -> dict[str, int]:
    stays = [row for row in rows["dispatch", "actions"] if row["action_type"] == "stop"]
    told = rows["tms", "eta_predictions"]
    came = {row["stop_id"]: row["start_at"] for row in stays}
    codes = Counter(row["code"].upper() for row in rows["dispatch", "consignment_charges"])
    return {
        "a lorry that still stands": sum(row["end_at"] is None for row in stays),
        "a stop without free time": sum(row["free_time_s"] is None for row in stays),
        "waiting that was charged": codes["WAITING"] + codes["DETENTION"],
        "a prediction after the arrival": sum(
            row["issued_at"] > came[row["stop_id"]] for row in told if row.get("stop_id") in came
        ),
        "a prediction that names no stop": sum(row.get("stop_id") is None for row in told),
    }


def _messages(rows: Rows) -> dict[str, int]:
    states = Counter(row["state"] for row in rows["ledger", "outbox"])
    letters = Counter(row["status"] for row in rows["ledger", "dead_letters"])
    tries = Counter(row["idempotency_key"] for row in rows["ledger", "push_attempts"])
    lives = Counter(row["lifecycle"] for row in rows["ledger", "connections"])
    events = Counter(row["event"] for row in rows["ledger", "entries"])
    return {
        **{f"an effect that is {state}": many for state, many in states.items()},
        **{f"a refused row that is {status}": many for status, many in letters.items()},
        **{f"a connection in {name}": many for name, many in lives.items()},
        "an effect that was tried again": sum(many > 1 for many in tries.values()),
        "a source that did not answer": sum(not row["ok"] for row in rows["ledger", "observations"]),
        "a touch by hand": sum(events.values()) - events["posted"],
    }
