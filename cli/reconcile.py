"""``waybill reconcile``: whether every acknowledged invoice is in the ERP as it was acknowledged, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import emit_json, out, table
from core.errors import WaybillError
from core.settings import get_settings

if TYPE_CHECKING:
    from activation.reconcile import Reconciliation
    from core.settings import Settings
    from state.differences import Difference


def reconcile(
    settle: Annotated[
        str | None, typer.Option(help="Accept one open difference, named by the beginning of its id.")
    ] = None,
    actor: Annotated[str | None, typer.Option(help="Who accepts it; needed with --settle.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why it is accepted; needed with --settle.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare released, acknowledged and posted invoices by day, company and currency; exit 1 when any differs.

    An open difference stops the push to its destination until it is corrected and found equal here, or accepted
    with --settle.
    """
    settings = get_settings()
    if settle is not None:
        if not (actor and actor.strip() and reason and reason.strip()):
            raise typer.BadParameter("--settle needs --actor and --reason: the ledger keeps both")
        _settle(settings, settle, actor.strip(), reason.strip(), json_output=json_output)
        return
    done = _reconcile(settings)
    if json_output:
        emit_json([_document(each) for each in done])
    else:
        for each in done:
            _print(each)
    still_open = [difference for each in done for difference in each.open]
    if still_open:
        raise WaybillError(
            f"{len(still_open)} differences are open; nothing is sent to {', '.join(_destinations(still_open))}.",
            remedy="Correct the ERP and run `waybill reconcile` again, or accept each with --settle ID.",
        )


def _reconcile(settings: Settings) -> list[Reconciliation]:
    from activation.reconcile import reconcile as reconcile_all
    from core.connections import load_connections
    from state.engine import open_state
    from state.heads import signed_after

    engine = open_state(settings)
    with signed_after(settings, engine):
        return reconcile_all(engine, load_connections(settings.connections_dir))


def _settle(settings: Settings, prefix: str, actor: str, reason: str, *, json_output: bool) -> None:
    from core.clock import utc_now
    from state import differences
    from state.engine import open_state
    from state.heads import signed_after

    engine = open_state(settings)
    with signed_after(settings, engine):
        accepted = differences.settle(engine, prefix, actor, reason, utc_now())
    if json_output:
        emit_json(_of(accepted))
    else:
        out.print(f"Settled {accepted}", markup=False)


def _print(done: Reconciliation) -> None:
    columns = (
        *("day", "company", "currency", "released", "acknowledged", "in the ERP"),
        *("released amount", "acknowledged amount", "amount in the ERP"),
    )
    table(
        f"{done.destination}, issued since {done.since or 'the first day'}",
        columns,
        [
            (
                *group,
                *(line.released, line.acknowledged, line.in_erp),
                *(line.released_amount, line.acknowledged_amount, line.in_erp_amount),
            )
            for group, line in sorted(done.lines.items())
        ],
    )
    if done.differences:
        open_ids = {each.difference_id for each in done.open}
        table(
            "Differences",
            ("id", "open", "kind", "shipment", "ERP document", "acknowledged", "in the ERP", "detail"),
            [
                (
                    *(each.difference_id[:12], "yes" if each.difference_id in open_ids else "settled"),
                    *(each.kind, each.shipment_no, each.erp_id),
                    *(each.acknowledged_amount, each.found_amount, each.detail),
                )
                for each in done.differences
            ],
        )


def _document(done: Reconciliation) -> dict[str, Any]:
    return {
        "destination": done.destination,
        "since": done.since,
        "reconciled": done.reconciled,
        "lines": [
            {"day": day, "company": company, "currency": currency, **vars(line)}
            for (day, company, currency), line in sorted(done.lines.items())
        ],
        "differences": [_of(each) for each in done.differences],
        "open": [each.difference_id for each in done.open],
    }


def _of(difference: Difference) -> dict[str, Any]:
    return {"difference_id": difference.difference_id, **vars(difference)}


def _destinations(found: list[Difference]) -> list[str]:
    return sorted({each.destination for each in found})
