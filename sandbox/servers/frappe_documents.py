"""The ERP's documents: the world's and the invoices written since, as one list per doctype.

Belongs here: finding and listing documents and child rows. Writing them is `frappe_invoices`, `frappe_deliveries` and `frappe_issues`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.clock import instant
from sandbox.servers import texts
from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_query import Filter, Query, Row
from sandbox.servers.store import Document, Entry, Store

SITE_ZONE = ZoneInfo("Europe/Berlin")
DOCTYPES = (
    "Company", "Cost Center", "Customer", "Item", "Item Tax Template", "Sales Order", "Delivery Note",
    "Sales Invoice", "Issue", "Deleted Document",
)  # fmt: skip
CHILDREN = {
    "Sales Order Item": ("Sales Order", "items"),
    "Sales Invoice Item": ("Sales Invoice", "items"),
    "Sales Taxes and Charges": ("Sales Invoice", "taxes"),
    "Delivery Note Item": ("Delivery Note", "items"),
    "Customer Credit Limit": ("Customer", "credit_limits"),
    "UOM Conversion Detail": ("Item", "uoms"),
    "Item Default": ("Item", "item_defaults"),
    "Item Tax Template Detail": ("Item Tax Template", "taxes"),
}
_TABLES = """
CREATE TABLE IF NOT EXISTS erp_written(
    name TEXT PRIMARY KEY, waybill_key TEXT, modified TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS erp_written_key ON erp_written(waybill_key);
CREATE TABLE IF NOT EXISTS erp_delivered(
    name TEXT PRIMARY KEY, waybill_key TEXT UNIQUE, modified TEXT NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS erp_issues(
    name TEXT PRIMARY KEY, waybill_key TEXT, modified TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS erp_issues_key ON erp_issues(waybill_key);
CREATE TABLE IF NOT EXISTS erp_series(prefix TEXT PRIMARY KEY, last INTEGER NOT NULL);
"""
WRITTEN_IN = {"Sales Invoice": "erp_written", "Delivery Note": "erp_delivered", "Issue": "erp_issues"}
"""Doctype → the table of those that were written over the API."""
WRITTEN = -1
KEY = "custom_waybill_key"
_HEAD = ("creation", "modified", "modified_by", "owner", "docstatus")


@lru_cache(maxsize=200_000)
def site_time(utc: str) -> str:
    """The store's UTC text as the site writes it: naive, in the site's zone."""
    moment = datetime.fromisoformat(utc)
    return moment.astimezone(SITE_ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")


class Documents:
    """Every document of the ERP by doctype; ``written`` ones hide the world's of the same name."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.connection = store.connection
        self.connection.executescript(_TABLES)

    def now(self) -> datetime:
        return self.store.clock.now()

    def get(self, doctype: str, name: str) -> Row:
        """One document with its child tables; FrappeError 404 when there is none."""
        document = self.find(doctype, name)
        if document is None:
            raise FrappeError("DoesNotExistError", f"{doctype} {name} not found")
        return texts.parse(document.body)

    def find(self, doctype: str, name: str) -> Document | None:
        """The current version, None when there is none."""
        if doctype in WRITTEN_IN:
            row = self.connection.execute(
                f"SELECT name, modified, body FROM {WRITTEN_IN[doctype]} WHERE name = ?", (name,)
            ).fetchone()
            if row:
                return Document(*row)
        return self.store.get(doctype, name)

    def rows(self, doctype: str, query: Query, parent: str | None) -> Iterator[Row]:
        """The rows of a list request, in its order, its page, with its fields."""
        if doctype in CHILDREN:
            if parent != CHILDREN[doctype][0]:
                raise FrappeError("PermissionError", f"Parent doctype of {doctype} must be given as parent")
            rows = self._children(doctype, query)
        elif doctype in DOCTYPES:
            rows = self._parents(doctype, query.filters, "name", query.order)
        else:
            raise FrappeError("DoesNotExistError", f"DocType {doctype} not found")
        stop = None if query.limit is None else query.start + query.limit
        return (query.select(row) for row in islice(rows, query.start, stop))

    def _children(self, doctype: str, query: Query) -> Iterator[Row]:
        parent, field = CHILDREN[doctype]
        pushed = [each for each in query.filters if each.field in ("parent", "modified")]
        rest = [each for each in query.filters if each.field not in ("parent", "modified")]
        order = query.order if query.order[0][0] == "modified" else (("modified", False),)
        rows = (
            row
            for document in self._parents(parent, pushed, "parent", order)
            for row in _exploded(document, parent, field)
            if all(each.holds(row) for each in rest)
        )
        return rows if order is query.order else _sorted(rows, query.order)

    def _parents(
        self,
        doctype: str,
        filters: Iterable[Filter],
        key: str,
        order: tuple[tuple[str, bool], ...],
    ) -> Iterator[Row]:
        """Parsed documents in ``order``; what SQL can sift by id, change time or text never gets parsed."""
        filters = list(filters)
        ids: list[str] | None = None
        contains: list[str] = []
        rest: list[Filter] = []
        changed: list[Filter] = []
        for each in filters:
            if each.field == key and each.operator in ("=", "in"):
                named = [each.value] if each.operator == "=" else each.value
                ids = [str(name) for name in named if ids is None or str(name) in ids]
                continue
            if doctype in WRITTEN_IN and each.field == KEY and each.operator in ("=", "in") and each.value:
                # An indexed field; only what was written over the API carries it, never the world's own documents.
                keyed = self._names_with_key(doctype, [each.value] if each.operator == "=" else each.value)
                ids = keyed if ids is None else [name for name in keyed if name in ids]
                rest.append(each)
                continue
            if each.field == "modified" and each.operator in (">", ">=", "<", "<=", "="):
                changed.append(each)
                continue
            rest.append(each)
            if each.operator == "=" and isinstance(each.value, str) and _plain(each.value):
                contains.append(f'"{each.value}"')
        found = [
            entry
            for entry in self._entries(doctype, contains, ids)
            if all(each.holds({"modified": site_time(entry.modified)}) for each in changed)
        ]
        by_change = order[0][0] == "modified"
        found.sort(key=lambda each: (site_time(each.modified), each.id), reverse=by_change and order[0][1])
        rows = (texts.parse(self._body(doctype, entry)) for entry in found)
        sifted = (row for row in rows if all(each.holds(row) for each in rest))
        return sifted if by_change else _sorted(sifted, order)

    def _names_with_key(self, doctype: str, keys: Sequence[object]) -> list[str]:
        places = ", ".join("?" for _ in keys)
        rows = self.connection.execute(
            f"SELECT name FROM {WRITTEN_IN[doctype]} WHERE waybill_key IN ({places})",
            [str(key) for key in keys],
        )
        return [row[0] for row in rows]

    def _entries(self, doctype: str, contains: list[str], ids: list[str] | None) -> list[Entry]:
        if ids is not None and not ids:
            return []
        entries = self.store.scan(doctype, contains, ids)
        if doctype not in WRITTEN_IN:
            return entries
        # Of what is asked for by id nothing else is read, however much was written.
        names = {entry.id for entry in self._written(doctype, [], ids)}
        world = [entry for entry in entries if entry.id not in names]
        return [*world, *self._written(doctype, contains, ids)]

    def _written(self, doctype: str, contains: list[str], ids: list[str] | None) -> list[Entry]:
        where = ["1 = 1", *("instr(body, ?) > 0" for _ in contains)]
        arguments = [*contains, *(ids or [])]
        if ids is not None:
            where.append(f"name IN ({', '.join('?' for _ in ids)})")
        rows = self.connection.execute(
            f"SELECT name, modified FROM {WRITTEN_IN[doctype]} WHERE {' AND '.join(where)}", arguments
        )
        return [Entry(name, modified, WRITTEN) for name, modified in rows]

    def _body(self, doctype: str, entry: Entry) -> str:
        if entry.seq != WRITTEN:
            return self.store.body(doctype, entry)
        written = f"SELECT body FROM {WRITTEN_IN[doctype]} WHERE name = ?"
        row = self.connection.execute(written, (entry.id,)).fetchone()
        return str(row[0])


def _plain(text: str) -> bool:
    """Whether JSON writes this text as it is, so that it can be looked for in the document's text."""
    return json.dumps(text) == f'"{text}"' and bool(text)


def _exploded(document: Row, parent: str, field: str) -> Iterator[Row]:
    for position, row in enumerate(document.get(field) or [], start=1):
        if isinstance(row, dict):
            head = {name: document.get(name) for name in _HEAD}
            of = {"parent": document.get("name"), "parenttype": parent, "parentfield": field}
            yield {"name": f"{document.get('name')}-{position}", "idx": position, **head, **row, **of}


def _sorted(rows: Iterator[Row], order: tuple[tuple[str, bool], ...]) -> Iterator[Row]:
    held = list(rows)
    for field, descending in reversed(order):
        held.sort(key=lambda row: _sort_key(row.get(field)), reverse=descending)
    return iter(held)


def _sort_key(value: Any) -> tuple[int, float, str]:
    value = texts.number(value)
    if value is None:
        return 0, 0.0, ""
    return (1, float(value), "") if isinstance(value, int | float) else (2, 0.0, str(value))


def stored(moment: datetime) -> tuple[str, str]:
    """``moment`` as the store and as the site write it."""
    utc = instant(moment.astimezone(UTC))
    return utc, site_time(utc)
