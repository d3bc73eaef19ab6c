"""``waybill push``: send what the gate released, or say what would be sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import emit_json, err, narrated, out, table
from core.errors import WaybillError
from core.flows import INVOICE
from core.settings import get_settings

if TYPE_CHECKING:
    from activation.dry_run import Intent
    from orchestration.platform import Platform


def push(
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Send nothing: look each document up and say what would become of it.",
        ),
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Send so many at most.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Send what the last run released, without reading the sources again; exit 1 when anything is not posted.

    The marts hear of it with the next `waybill run`.
    """
    from orchestration.platform import Platform

    platform = Platform(get_settings())
    if dry_run:
        _tell(platform, limit, json_output=json_output)
    else:
        _send(platform, limit, json_output=json_output)


def _tell(platform: Platform, limit: int | None, *, json_output: bool) -> None:
    from activation.dry_run import dry_run
    from orchestration.push_assets import outbound_rows

    rows = outbound_rows(platform)
    found: list[Intent] = []
    with err.status("Looking up …") as progress:
        for intent in dry_run(platform.engine, platform.connections, rows, limit):
            found.append(intent)
            progress.update(f"Looked up {len(found):,}; {len(rows):,} are released …")
    if json_output:
        emit_json([vars(each) for each in found])
        return
    table("What a push would do", ("action", "n"), sorted(Counter(each.action for each in found).items()))
    table(
        "What is not done",
        ("action", "document", "shipment", "amount", "currency", "in the ERP", "why"),
        [
            (
                each.action,
                each.operation.replace("_", " "),
                each.shipment_no,
                each.amount,
                each.currency,
                ", ".join(each.found) or None,
                each.why,
            )
            for each in found
            if each.action != "skip"
        ],
    )


def _send(platform: Platform, limit: int | None, *, json_output: bool) -> None:
    from orchestration.push_assets import push_released

    with narrated():
        result = push_released(platform, limit)
    if json_output:
        emit_json(asdict(result))
    else:
        shown = ("posted", "already_posted", "failed", "held", "blocked_at_recheck", "cancelled")
        flows = {INVOICE.operation: result, **result.others}
        lines = [
            (name.replace("_", " "), *(getattr(each, name) for each in flows.values())) for name in shown
        ]
        table("Push", ("what", *(f"{operation}s" for operation in flows)), lines)
        for currency, amount in sorted(result.amount_by_currency.items()):
            out.print(f"posted {amount:,} {currency}", markup=False)
    for problem in result.errors:
        err.print(f"[red]problem[/red] {problem}", highlight=False)
    if result.unposted_of_all:
        raise WaybillError(
            f"{result.unposted_of_all} released documents are not posted.",
            remedy="`waybill outbox list` shows where each stands; `waybill push --dry-run` what the ERP holds.",
        )
