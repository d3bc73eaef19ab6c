"""What ``benchmarks.load`` sends into, and counting what came of it.

Belongs here: a home with the sandbox's world in it, a partner with a key, emptying the inbox as in production, and the
comparison of what was answered 202 with what stands in the marts.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from benchmarks.load_sender import Answer, Plan, happened_at
from cli.services import services, wait_until
from core.clock import utc_now
from core.settings import ROOT, Settings
from core.warehouse import open_serving, open_warehouse
from state import inbox, keys
from state.engine import open_state
from state.observations import business_now
from tests.support.sandbox import running_sandbox

PARTNER = "sandbox_telematics"
_LONGEST_DRAIN_S = 7200.0
_TRIPS = "SELECT DISTINCT trip_id FROM marts.fct_stops WHERE source_system = 'sandbox_dispatch' ORDER BY trip_id LIMIT 100"
_DEVICES = "SELECT DISTINCT device_id FROM marts.dim_vehicles WHERE device_id IS NOT NULL ORDER BY device_id"
_TYPES = ("geofence_entered", "route_deviated")


@dataclass(frozen=True)
class World:
    """One installation. ``per_minute``: requests that the API takes of a key, and of an address, in a minute."""

    folder: Path
    settings: Settings
    engine: Engine
    token: str
    per_minute: int
    first_at: datetime
    devices: tuple[str, ...]
    trips: tuple[str, ...]
    events_before: Counter[str]


@contextmanager
def a_world(folder: Path, per_minute: int) -> Iterator[World]:
    """A sandbox that runs while the block does, its world read and published once."""
    from orchestration.run import run_once

    home, connections = folder / "home", folder / "connections"
    shutil.copytree(ROOT / "connections" / "sandbox", connections)
    with (connections / f"{PARTNER.removeprefix('sandbox_')}.yaml").open("a") as file:
        file.write("reach: {connections: [sandbox_dispatch]}\n")
    with running_sandbox(home, orders=120) as outside:
        os.environ.update(outside.env)
        os.environ["WAYBILL_API_KEY_RATE"] = os.environ["WAYBILL_API_ADDRESS_RATE"] = str(per_minute)
        settings = Settings(home=home, connections=connections)
        os.environ["WAYBILL_CONNECTIONS"] = str(connections)
        run_once(settings)
        engine = open_state(settings)
        _, token = keys.create(
            engine, PARTNER, ["events:write"], timedelta(days=1), "benchmarks.load", utc_now()
        )
        with open_serving(settings) as marts:
            devices, trips = (
                tuple(row[0] for row in marts.execute(sql).fetchall()) for sql in (_DEVICES, _TRIPS)
            )
        first_at = business_now(engine).replace(microsecond=0) - timedelta(hours=2)
        yield World(
            folder, settings, engine, token.get_secret_value(), per_minute, first_at, devices, trips,
            _events_by_lorry(settings),
        )  # fmt: skip
        engine.dispose()


def drain(world: World) -> dict[str, Any]:
    """Have the worker empty the inbox and a run publish; the messages, and the seconds of both."""
    from orchestration.run import run_once

    waiting, began = sum(inbox.waiting(world.engine).values()), time.monotonic()
    with services(world.settings, {"worker": [sys.executable, "-m", "orchestration.worker"]}) as children:
        wait_until(children, "The worker", world.settings.worker_note.exists, _LONGEST_DRAIN_S)
        wait_until(children, "The empty inbox", lambda: not inbox.waiting(world.engine), _LONGEST_DRAIN_S)
    drained_s, began = time.monotonic() - began, time.monotonic()
    run_once(world.settings)
    return {
        "messages": waiting, "drained_s": round(drained_s, 1), "published_s": round(time.monotonic() - began, 1),
    }  # fmt: skip


def counted(
    world: World, plans: Mapping[str, Plan], answers: Mapping[str, Sequence[Answer]]
) -> dict[str, dict[str, Any]]:
    """What was answered 202 against what is there, by plan: event by event in the canonical model; and by lorry in the marts."""
    with open_warehouse(world.settings, "benchmarks.load") as warehouse:
        rows = warehouse.execute(
            "SELECT occurred_at, device_id FROM canonical.canonical_vehicle_events WHERE event_type = ANY($1)",
            [_TYPES],
        ).fetchall()
    there = Counter(row[0] for row in rows)
    found: dict[str, dict[str, Any]] = {}
    for part, plan in plans.items():
        kept, refused = _told(answers[part])
        instants = {happened_at(plan, number) for number in kept}
        found[part] = {
            "kept": len(kept),
            "there": sum(there[each] for each in instants),
            "lost": sum(not there[each] for each in instants),
            "doubled": sum(there[each] - 1 for each in instants if there[each]),
            "refused_and_there": sum(there[happened_at(plan, number)] for number in refused),
        }
    more = _events_by_lorry(world.settings)
    more.subtract(world.events_before)
    wanted = Counter(row[1] for row in rows)
    found["marts"] = {
        "events": sum(more.values()),
        "lorries": len(world.devices),
        "lorries_that_differ": sum(more[each] != wanted[each] for each in {*more, *wanted}),
    }
    return found


def _told(answers: Sequence[Answer]) -> tuple[set[int], set[int]]:
    """The events that were answered 202, and 429. No answer says nothing of whether it was kept."""
    kept, refused = (
        {
            number
            for each in answers
            if each.status == status
            for number in range(each.first, each.first + each.many)
        }
        for status in (202, 429)
    )
    return kept, refused


def _events_by_lorry(settings: Settings) -> Counter[str]:
    with open_serving(settings) as marts:
        return Counter(
            dict(
                marts.execute(
                    "SELECT device_id, CAST(sum(event_count) AS BIGINT) FROM marts.fct_vehicle_days GROUP BY device_id"
                ).fetchall()
            )
        )
