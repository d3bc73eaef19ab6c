"""``waybill gate replay``: kept decisions evaluated again."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import emit_json, out, table
from core.errors import PermanentFailure, WaybillError
from core.settings import get_settings

if TYPE_CHECKING:
    from quality.replay import Outcome, Replayed
    from state.decisions import Decision

_SHOWN = 50
"""Decisions listed; ``--json`` lists all."""
_TOLD: dict[Outcome, str] = {
    "equal": "came out equal",
    "different": "came out DIFFERENT by the same rules",
    "lost": "have inputs that are not what was kept",
    "unkept": "were made before inputs were kept",
    "unrepeatable": "were made while a check could not run",
    "same_by_other_rules": "were made by other rules and would come out the same",
    "other_by_other_rules": "were made by other rules and would come out differently",
}


def replay(
    key: Annotated[
        str | None, typer.Argument(help="A shipment's number, or what the invoice bills (business_id).")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every decision that was ever kept.")] = False,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Decisions of this day (UTC, business time)."),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            help="Rules under another policy file, to see what a change would do.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Evaluate kept decisions again, on the inputs that were kept with each.

    By the same rules each has to come out equal: exit 1 when one does not, or when its inputs are not what was kept. Of one
    by other rules it says what those of today, or of --policy, would make of it; nothing is changed.
    """
    if sum((key is not None, every, day is not None)) != 1:
        raise typer.BadParameter("name a shipment, or give --day or --all")
    from quality.policy import DEFAULT, load_policy
    from quality.replay import BAD
    from quality.replay import replay as evaluated
    from state import decisions
    from state.engine import open_state

    engine = open_state(get_settings())
    parts = decisions.every(engine, key, day.date() if day else None)
    counts: Counter[Outcome] = Counter()
    told: list[Replayed] = []
    for each in evaluated(engine, parts, load_policy(policy or DEFAULT)):
        counts[each.outcome] += 1
        if each.outcome not in {"equal", "unkept", "same_by_other_rules"} and (
            json_output or each.outcome in BAD or len(told) <= _SHOWN
        ):
            told.append(each)
    if not counts:
        raise WaybillError(
            "No decision is there to evaluate again.",
            remedy='`waybill query "SELECT shipment_no, gate_verdict FROM marts.fct_shipments"` lists the keys.',
        )
    told.sort(key=lambda each: each.outcome not in BAD)
    if json_output:
        emit_json({"counts": dict(counts), "decisions": [_row(each) for each in told]})
    else:
        _print(counts, told)
    if bad := sum(counts[each] for each in BAD):
        raise PermanentFailure(
            f"{bad:,} of {counts.total():,} decisions do not come out of their inputs as they were kept.",
            remedy="`waybill ledger verify` tells whether the store was changed; keep it as it is, and compare with a backup.",
        )


def _print(counts: Counter[Outcome], told: list[Replayed]) -> None:
    for outcome, words in _TOLD.items():
        if counts[outcome]:
            out.print(f"{counts[outcome]:>9,} {words}", markup=False)
    if told:
        rows = [tuple(_row(each).values()) for each in told[:_SHOWN]]
        table(f"The first {_SHOWN}" if len(told) > _SHOWN else "", tuple(_row(told[0])), rows)


def _row(each: Replayed) -> dict[str, str | None]:
    return {
        "shipment": each.decision.shipment_no,
        "flow": each.decision.operation,
        "judged": f"{each.decision.decided_at:%Y-%m-%d %H:%M:%S}",
        "was": _verdict(each.decision),
        "is": _verdict(each.again) if each.again else None,
        "why": each.why or ("by other rules" if each.again else None),
    }


def _verdict(decision: Decision) -> str:
    return ": ".join((decision.verdict, *([", ".join(decision.codes)] if decision.codes else [])))
