"""Files that systems without an API leave in a folder: cases, workshop orders, carriers and their statements.

What a system has not told by NOW is in no file. Times are written as each system's clock shows them.
"""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.world.dialects.epcis import event_id
from sandbox.world.dialects.otm5 import uid
from sandbox.world.happenings import Change, Freight, Trouble, Visit
from sandbox.world.model import World
from sandbox.world.moments import NOW, iso, visible

_WORKSHOP_CLOCK = ZoneInfo("Europe/Berlin")
CARRIERS = (
    ("WB-FLEET", "Waybill's own fleet", "yes"),
    ("CAR-IBERIA", "Iberia Road Freight", "yes"),
    ("CAR-LAKES", "Lakes Haulage", "yes"),
    ("CAR-BALTIC", "Baltic Lines", "no"),
)
Table = list[dict[str, Any]]


@dataclass(frozen=True)
class Drop:
    """The rows of each file, as they are written."""

    cases: Table
    workshop: Table
    carriers: Table
    charges: Table


def drop_of(world: World) -> Drop:
    """What lies in the folder at NOW."""
    return Drop(
        [row for trouble in world.troubles for row in _case(trouble)],
        [_visit(visit) for visit in world.visits],
        [dict(zip(("carrier", "name", "active"), each, strict=True)) for each in CARRIERS],
        [_charge(each) for each in world.freight if each.stated <= NOW],
    )


def write(drop: Drop, folder: Path) -> None:
    """``cases/*.jsonl``, ``workshop/*.csv``, ``carriers/*.csv`` and ``freight/*.csv`` below ``folder``."""
    for name in ("cases", "workshop", "carriers", "freight"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) + "\n" for row in drop.cases]
    (folder / "cases" / "case_events.jsonl").write_text("".join(lines), encoding="utf-8")
    _csv(folder / "workshop" / "orders.csv", drop.workshop)
    _csv(folder / "carriers" / "carriers.csv", drop.carriers)
    for statement, rows in itertools.groupby(sorted(drop.charges, key=_statement), _statement):
        _csv(folder / "freight" / f"{statement}.csv", list(rows))
    for path in folder.glob("*/*"):
        os.utime(path, (NOW.timestamp(), NOW.timestamp()))


def known(trouble: Trouble) -> list[Change]:
    """The turns of a case that somebody has typed in by NOW."""
    return [change for change in trouble.changes if visible(change.detected) <= NOW]


def _case(trouble: Trouble) -> Iterable[dict[str, Any]]:
    for number, change in enumerate(known(trouble), 1):
        yield {
            "event": f"{trouble.id}-{number}",
            "case": trouble.id,
            "what": change.word,
            "at": iso(change.occurred),
            "noticed": iso(change.detected),
            "code": trouble.code,
            "severity": trouble.severity,
            "cause": trouble.cause,
            "shipment": trouble.shipment.id,
            "waits_for_customer": change.is_for_customer,
        }


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "order": visit.id,
        "vehicle": uid(visit.vehicle),
        "work": visit.kind,
        "state": visit.status,
        "from": _wall(visit.started),
        "to": _wall(visit.ended),
        "written": _wall(visit.written),
    }


def _charge(line: Freight) -> dict[str, Any]:
    """A line of a statement: amounts with a point, the carrier's own time with its offset."""
    evidence = line.evidence
    return {
        "line": line.id,
        "carrier": line.shipment.carrier,
        "stated": line.stated.astimezone(ZoneInfo(line.shipment.order.depot.zone)).isoformat(),
        "shipment": line.shipment.id,
        "order": line.shipment.order.id,
        "for": line.basis,
        "amount": str(line.amount),
        "currency": line.currency,
        "cost_centre": line.cost_centre,
        "proof": event_id(evidence.id) if evidence and visible(evidence.recorded) <= NOW else "",
    }


def _statement(row: dict[str, Any]) -> str:
    """The file that a line stands in: a carrier's statement of one day."""
    return f"{row['carrier']}_{row['stated'][:10]}"


def _wall(moment: datetime | None) -> str:
    return moment.astimezone(_WORKSHOP_CLOCK).strftime("%d.%m.%Y %H:%M") if moment else ""


def _csv(path: Path, rows: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
