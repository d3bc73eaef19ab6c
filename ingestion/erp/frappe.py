"""Frappe/ERPNext over REST: lists by change time, child tables by their own doctype.

Belongs here: paths, paging and which doctype fills which resource. Field by field is ``frappe_fields``.
Times are naive in the site's zone, which the connection names as ``time_zone``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core.clock import zone
from core.connections import Connection
from core.settings import Settings, secret
from ingestion.base import Page, SourceRecord, Stream, Window
from ingestion.erp import frappe_fields as fields
from ingestion.http import HttpSource
from ingestion.paging import by_change
from ingestion.records import Furthest, is_inside, start_of
from ingestion.times import Refused, Times

PAGE_ROWS = 1000
PARENTS_A_REQUEST = 250
_Make = Callable[
    [dict[str, Any], datetime | None, dict[str, list[Any]], Callable[[], Times]], list[SourceRecord]
]

# stream: (its resources, doctype, child doctypes, how its documents become rows)
_STREAMS: dict[str, tuple[tuple[str, ...], str, tuple[str, ...], _Make]] = {
    "companies": (("companies",), "Company", (), fields.company),
    "cost_centres": (("cost_centres",), "Cost Center", (), fields.cost_centre),
    "customers": (("customers",), "Customer", ("Customer Credit Limit",), fields.customer),
    "items": (
        ("items", "item_uoms", "item_accounts"),
        "Item",
        ("UOM Conversion Detail", "Item Default"),
        fields.item,
    ),
    "tax_codes": (("tax_codes",), "Item Tax Template", ("Item Tax Template Detail",), fields.tax_code),
    "orders": (("orders", "order_lines"), "Sales Order", ("Sales Order Item",), fields.order),
    "deleted_orders": (("orders",), "Deleted Document", (), fields.deleted_order),
    "delivery_notes": (("delivery_notes",), "Delivery Note", (), fields.delivery_note),
    "invoices": (("invoices", "invoice_lines"), "Sales Invoice", ("Sales Invoice Item",), fields.invoice),
}


class FrappeAdapter:
    """Reads one site; needs the secrets ``api_key`` and ``api_secret``."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        words = [
            secret(connection.secret_named(each)).get_secret_value() for each in ("api_key", "api_secret")
        ]
        self._http = HttpSource(connection, f"token {':'.join(words)}")
        self._zone = connection.time_zone
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The site's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream a doctype, parents first."""
        return [Stream(name, resources) for name, (resources, *_) in _STREAMS.items()]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Documents changed since the cursor with their child rows, oldest change first."""
        _, doctype, children, make = _STREAMS[stream.name]
        furthest = Furthest(cursor, self)
        for documents in by_change(
            partial(self._list, doctype), self._changed_at, start_of(cursor, self._window)
        ):
            inside = [each for each in documents if is_inside(self._changed_at(each), self._window)]
            rows = self._children(doctype, children, inside)
            records: list[SourceRecord] = []
            for document in inside:
                changed = self._changed_at(document)
                furthest.see(changed)
                own = rows[str(document.get("name"))]
                records.extend(make(document, changed, own, self._times))
            yield Page(records, furthest.cursor)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _list(self, doctype: str, since: datetime | None, offset: int) -> tuple[list[Any], bool]:
        rows = self._rows(
            doctype,
            filters=[] if since is None else [["modified", ">=", self._site_text(since)]],
            limit_start=offset,
            limit_page_length=PAGE_ROWS,
        )
        return rows, len(rows) == PAGE_ROWS

    def _children(
        self, doctype: str, children: Sequence[str], documents: Sequence[Any]
    ) -> defaultdict[str, dict[str, list[Any]]]:
        """Child rows by parent and child doctype, in their order."""
        found: defaultdict[str, dict[str, list[Any]]] = defaultdict(lambda: {each: [] for each in children})
        names = [each for each in dict.fromkeys(str(each.get("name")) for each in documents) if can_ask(each)]
        for child in children:
            for start in range(0, len(names), PARENTS_A_REQUEST):
                some = names[start : start + PARENTS_A_REQUEST]
                rows = self._rows(child, [["parent", "in", some]], parent=doctype, limit_page_length=0)
                for row in rows:
                    found[str(row.get("parent"))][child].append(row)
        return found

    def _rows(self, doctype: str, filters: list[Any], **parameters: str | int) -> list[Any]:
        path = f"/api/resource/{doctype}"
        document = self._http.get_json(
            path,
            {
                "filters": json.dumps(filters),
                "fields": '["*"]',
                "order_by": "modified asc",
                **parameters,
            },
        )
        return [each for each in self._http.rows(path, document, "data") if isinstance(each, dict)]

    def _times(self) -> Times:
        return Times(self._zone, is_documented=True)

    def _changed_at(self, document: dict[str, Any]) -> datetime | None:
        try:
            return self._times().iso(document.get("modified"), "modified")
        except Refused:
            return None

    def _site_text(self, moment: datetime) -> str:
        return moment.astimezone(zone(self._zone)).strftime("%Y-%m-%d %H:%M:%S.%f")


def can_ask(name: str) -> bool:
    """Whether a site can look this name up: its database fails over a lone surrogate, and the border refuses it."""
    return not any("\ud800" <= char <= "\udfff" for char in name)
