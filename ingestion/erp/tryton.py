"""Tryton over its REST interface: records by change time and id, lines with their parents.

Belongs here: which records are asked for, and paging. Field by field is ``tryton_fields``. A record that was only
created has no ``write_date``, and a changed line need not change its parent's: a record changed when it or what is
read with it did. That is no order to page by, so pages go by id, and a reading's cursor is the latest change that it
met, no later than its own beginning: what changes behind a page is read by the next one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.connections import Connection
from core.settings import Settings, secret
from core.tryton import decoded, encoded
from ingestion.base import Page, Rejection, SourceFailure, SourceRecord, Stream, Window
from ingestion.erp import tryton_fields as fields
from ingestion.http import HttpSource
from ingestion.records import Furthest, is_inside, start_of

PAGE_ROWS = 200
_CHANGES = ("create_date", "write_date")
_ANY = ["active", "in", [True, False]]


@dataclass(frozen=True)
class _Read:
    """One stream: ``parts`` are the paths of what is read with a record and changes without it."""

    resources: tuple[str, ...]
    model: str
    domain: list[Any]
    parts: tuple[str, ...]
    fields: tuple[str, ...]
    make: Callable[[dict[str, Any], dict[str, Any], datetime | None], list[SourceRecord]]


_STREAMS: dict[str, _Read] = {
    "companies": _Read(
        ("companies",), "company.company", [], ("party", "party.addresses", "party.identifiers"), fields.COMPANY, fields.company
    ),
    "customers": _Read(
        ("customers",), "party.party", [_ANY], ("addresses", "identifiers"), fields.CUSTOMER, fields.customer
    ),
    "tax_codes": _Read(
        ("tax_codes",), "account.tax", [_ANY, ["type", "=", "percentage"]], (), fields.TAX, fields.tax_code
    ),
    "items": _Read(
        ("items", "item_uoms", "item_accounts"), "product.product", [_ANY],
        ("template", "template.account_category", "template.account_category.accounts"), fields.ITEM, fields.item,
    ),
    "orders": _Read(
        ("orders", "order_lines"), "sale.sale", [["number", "!=", None]], ("lines",), fields.ORDER, fields.order
    ),
    "invoices": _Read(
        ("invoices", "invoice_lines"), "account.invoice", [["type", "=", "out"]], ("lines",),
        fields.INVOICE, fields.invoice,
    ),
}  # fmt: skip


class TrytonAdapter:
    """Reads one database; needs the secret ``api_key``, a validated key of the application ``rest``."""

    def __init__(self, _settings: Settings, connection: Connection, window: Window | None) -> None:
        key = secret(connection.secret_named("api_key")).get_secret_value()
        self._http = HttpSource(connection, f"Bearer {key}")
        self._window = window

    @property
    def source_clock(self) -> datetime | None:
        """The server's own time at its last answer."""
        return self._http.clock

    def streams(self) -> Sequence[Stream]:
        """One stream a model, parents first."""
        return [Stream(name, read.resources) for name, read in _STREAMS.items()]

    def pages(self, stream: Stream, cursor: str | None) -> Iterator[Page]:
        """Records that changed since the cursor, by id; the last page alone has a cursor."""
        read = _STREAMS[stream.name]
        changes = [".".join(filter(None, (part, name))) for part in ("", *read.parts) for name in _CHANGES]
        domain = [*read.domain]
        if (since := start_of(cursor, self._window)) is not None:
            domain.append(["OR", *([each, ">=", encoded(since)] for each in changes)])
        furthest, last = Furthest(cursor, self), 0
        began: datetime | None = None
        while True:
            rows = self._list(read, changes, [*domain, ["id", ">", last]])
            began = began or self._http.clock
            records: list[SourceRecord] = []
            for raw in rows:
                found, changed = _mapped(read, raw)
                if is_inside(changed, self._window):
                    furthest.see(min(changed, began) if changed and began else changed)
                    records.extend(found)
            if len(rows) < PAGE_ROWS:
                yield Page(records, furthest.cursor)
                return
            yield Page(records)
            last = rows[-1]["id"]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _list(self, read: _Read, changes: Sequence[str], domain: list[Any]) -> list[Any]:
        path = f"/rest/model/{read.model}"
        wanted = {"d": _packed(domain), "o": _packed([["id", "ASC"]]), "f": [*read.fields, *changes]}
        rows = self._http.get_list(path, {**wanted, "s": PAGE_ROWS})
        if not all(isinstance(each, dict) and isinstance(each.get("id"), int) for each in rows):
            raise SourceFailure(
                f"{self._http.name}: {path} sent records without an id.",
                remedy="Check that it is Tryton 8.2.",
            )
        return rows


def _mapped(read: _Read, raw: dict[str, Any]) -> tuple[list[SourceRecord], datetime | None]:
    """The rows of a record, and when it changed; a refused one when it is not as Tryton writes records."""
    try:
        document = decoded(raw)
        changed = max(_changes(document, ("", *read.parts)))
        return read.make(raw, document, changed), changed
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        refused = Rejection("FIELD_INVALID", f"the record has another shape than documented: {error!r}")
        key = {"id": str(raw["id"])}
        return [SourceRecord(read.resources[0], raw, None, key, refused)], None


def _changes(document: dict[str, Any], parts: Sequence[str]) -> Iterator[datetime]:
    for part in parts:
        for each in _at(document, part.split(".") if part else []):
            yield from (each[name] for name in _CHANGES if each[name] is not None)


def _at(value: Any, path: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The records at the end of a path through one or many."""
    for each in value if isinstance(value, list) else [value]:
        if each and path:
            yield from _at(each[path[0]], path[1:])
        elif each:
            yield each


def _packed(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()
