"""``waybill trace``: one shipment's way, from the order to the invoice, with what Waybill did on it."""

from __future__ import annotations

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
_INVOICED = """
    SELECT first_invoice_posted_at AS happened_at, 'invoiced' AS what, first_invoice_id || ', made by ' || made_by AS detail
    FROM marts.fct_shipments WHERE shipment_no = $shipment AND first_invoice_posted_at IS NOT NULL
"""
_EXCEPTIONS = """
    UNPIVOT (
        SELECT opened_at AS "exception opened", resolved_at AS "exception resolved", severity || ' ' || code AS detail
        FROM marts.fct_exceptions WHERE shipment_no = $shipment
    ) ON "exception opened", "exception resolved" INTO NAME what VALUE happened_at
"""


def trace(
    shipment: Annotated[str, typer.Argument(help="The shipment's number.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """What happened to a shipment, oldest first: by its sources as published last, and by Waybill's own notes.

    Two tables, two clocks: the sources' business time, invoices made by hand among it, and what Waybill did by this machine's.
    Exit 1 when nobody knows the shipment.
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
            f"{shipment}, by its sources (business time)",
            ("at", "what", "detail"),
            [tuple(each.values()) for each in published],
        )
    show_noted(shipment, noted)


def noted_of(settings: Settings, shipment: str) -> list[dict[str, Any]]:
    """What Waybill itself noted of a shipment, oldest first."""
    return [vars(each) for each in steps_of(open_state(settings), shipment)]


def show_noted(shipment: str, noted: list[dict[str, Any]]) -> None:
    """The same as a table."""
    columns = ("at", "what", "source", "detail")
    table(
        f"{shipment}, by Waybill (this machine's clock)",
        columns,
        [tuple(each[name] for name in columns) for each in noted],
    )


def _published(settings: Settings, shipment: str) -> list[dict[str, Any]]:
    if not settings.serving.exists():
        return []
    dated = " UNION ALL ".join(
        f"SELECT {column} AS happened_at, '{what}' AS what, NULL AS detail FROM marts.fct_shipments WHERE shipment_no = $shipment"
        for column, what in _PUBLISHED.items()
    )
    with open_serving(settings) as marts:
        found = marts.execute(
            f"SELECT happened_at, what, detail FROM ({dated} UNION ALL BY NAME ({_INVOICED}) UNION ALL BY NAME ({_EXCEPTIONS})) "
            "WHERE happened_at IS NOT NULL ORDER BY ALL",
            {"shipment": shipment},
        ).fetchall()
    return [{"at": at, "what": what, "detail": detail} for at, what, detail in found]
