"""``waybill trace``: one shipment's way, from the order to the invoice, with what Waybill did on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from cli.output import emit_json, table
from core.errors import WaybillError
from core.settings import Settings, get_settings
from core.warehouse import open_serving
from state.engine import open_state
from state.shipment_trace import steps_of

_PUBLISHED = {
    "ordered_at": "ordered",
    "confirmed_at": "confirmed",
    "released_at": "released to dispatch",
    "departed_at": "departed",
    "arrived_at": "arrived",
    "delivered_at": "delivered",
    "pod_captured_at": "proof captured",
    "pod_received_at": "proof received",
    "cancelled_at": "cancelled",
}


def trace(
    shipment: Annotated[str, typer.Argument(help="The shipment's number.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """What happened to a shipment, oldest first: by its sources as published last, and by Waybill's own notes.

    Two clocks stand side by side: the sources' business time, and this machine's. Exit 1 when nobody knows the shipment.
    """
    settings = get_settings()
    published, noted = _published(settings, shipment), noted_of(settings, shipment)
    if not published and not noted:
        raise WaybillError(
            f"Nothing is known of a shipment {shipment}.",
            remedy='`waybill query "SELECT shipment_no FROM marts.fct_shipments"` lists them.',
        )
    if json_output:
        emit_json({"shipment": shipment, "published": published, "noted": noted})
        return
    if published:
        table(
            f"{shipment}, by its sources",
            ("at", "what"),
            [(each["at"], each["what"]) for each in published],
        )
    show_noted(shipment, noted)


def noted_of(settings: Settings, shipment: str) -> list[dict[str, Any]]:
    """What Waybill itself noted of a shipment, oldest first."""
    return [vars(each) for each in steps_of(open_state(settings), shipment)]


def show_noted(shipment: str, noted: list[dict[str, Any]]) -> None:
    """The same as a table."""
    columns = ("at", "what", "source", "detail")
    table(f"{shipment}, by Waybill", columns, [tuple(each[name] for name in columns) for each in noted])


def _published(settings: Settings, shipment: str) -> list[dict[str, Any]]:
    if not settings.serving.exists():
        return []
    with open_serving(settings) as marts:
        rows = marts.execute(
            f"SELECT {', '.join(_PUBLISHED)} FROM marts.fct_shipments WHERE shipment_no = ?", [shipment]
        ).fetchall()
    found: list[tuple[datetime, str]] = [
        (at, what)
        for row in rows
        for at, what in zip(row, _PUBLISHED.values(), strict=True)
        if at is not None
    ]
    return [{"at": at, "what": what} for at, what in sorted(found)]
