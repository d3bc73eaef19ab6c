"""ERPNext / Frappe over its REST interface: lists by ``modified``, child tables by their own doctype.

A list gives no child rows, so those of a page are asked for by the names of their parents. The cursor is
``modified``, naive in the site's zone: the overlap covers the hour that happens twice in autumn.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.clock import zone
from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, Stream, Window
from ingestion.erp import frappe_mapping as mapping
from ingestion.http import HttpSource

PAGE = 500
OVERLAP = timedelta(hours=2)


@dataclass(frozen=True)
class Doctype:
    """One parent doctype: its child tables, the resources it fills and how."""

    name: str
    children: tuple[tuple[str, str], ...]
    resources: tuple[str, ...]
    records: mapping.Mapper


DOCTYPES = (
    Doctype("Company", (), ("companies",), mapping.company),
    Doctype("Customer", (("Customer Credit Limit", "credit_limits"),), ("customers",), mapping.customer),
    Doctype(
        "Item",
        (("UOM Conversion Detail", "uoms"), ("Item Default", "item_defaults")),
        ("items", "item_uoms"),
        mapping.item,
    ),
    Doctype("Item Tax Template", (("Item Tax Template Detail", "taxes"),), ("tax_codes",), mapping.tax_code),
    Doctype("Sales Order", (("Sales Order Item", "items"),), ("orders", "order_lines"), mapping.order),
    Doctype("Delivery Note", (), ("delivery_notes",), mapping.delivery_note),
    Doctype(
        "Sales Invoice", (("Sales Invoice Item", "items"),), ("invoices", "invoice_lines"), mapping.invoice
    ),
)


class FrappeAdapter:
    """One ERPNext site as a source."""

    def __init__(self, settings: Settings, connection: Connection, window: Window | None) -> None:
        key = secret(connection.secrets["api_key"]).get_secret_value()
        password = secret(connection.secrets["api_secret"]).get_secret_value()
        self._source = HttpSource(connection, {"Authorization": f"token {key}:{password}"})
        self._zone = connection.time_zone
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        return self._source.clock

    def streams(self) -> Sequence[Stream]:
        return [Stream(each.name, each.resources) for each in DOCTYPES]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        doctype = next(each for each in DOCTYPES if each.name == stream.name)
        since, until = self._span(cursor)
        offset, last, seen = 0, since, set[tuple[str, str]]()
        while True:
            rows = self._list(doctype.name, last, until, offset)
            fresh = [row for row in rows if (str(row.get("name")), str(row.get("modified"))) not in seen]
            if fresh:
                self._add_children(doctype, fresh)
                records = [record for row in fresh for record in doctype.records(row, self._zone)]
                newest = str(rows[-1]["modified"])
                yield Page(records, cursor=newest)
                # Rows of one instant may straddle two pages: go on from that instant, skipping what was seen.
                offset = offset + len(rows) if newest == last else 0
                seen = {(str(row.get("name")), str(row.get("modified"))) for row in rows}
                last = newest
            if len(rows) < PAGE:
                return
            offset = offset if fresh else offset + len(rows)

    def close(self) -> None:
        self._source.close()

    def _span(self, cursor: str | None) -> tuple[str | None, str | None]:
        if self._window:
            return self._naive(self._window[0]), self._naive(self._window[1])
        if cursor is None:
            return None, None
        return str(datetime.fromisoformat(cursor) - OVERLAP), None

    def _naive(self, instant: datetime) -> str:
        return str(instant.astimezone(zone(self._zone)).replace(tzinfo=None))

    def _list(self, doctype: str, since: str | None, until: str | None, offset: int) -> list[dict[str, Any]]:
        filters = [["modified", ">=", since]] if since else []
        filters += [["modified", "<", until]] if until else []
        return self._rows(
            doctype,
            {
                "filters": json.dumps(filters),
                "fields": '["*"]',
                "order_by": "modified asc",
                "limit_start": str(offset),
                "limit_page_length": str(PAGE),
            },
        )

    def _add_children(self, doctype: Doctype, rows: Sequence[dict[str, Any]]) -> None:
        """Put each page's child rows where a single document would have them."""
        names = [row["name"] for row in rows if isinstance(row.get("name"), str)]
        for child, field in doctype.children:
            by_parent: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
            parameters = {
                "parent": doctype.name,
                "filters": json.dumps([["parent", "in", names]]),
                "fields": '["*"]',
                "limit_page_length": "0",
            }
            for row in self._rows(child, parameters):
                by_parent[str(row.get("parent"))].append(row)
            for row in rows:
                row[field] = by_parent[str(row.get("name"))]

    def _rows(self, doctype: str, parameters: Mapping[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._source.get_json(f"/api/resource/{doctype}", parameters)["data"]
        return found
