"""Sales invoices written into the ERP: draft, totals by the server, submit, cancel, delete.

Belongs here: what ERPNext checks and computes. Each change is one durable SQLite transaction; the server's
one loop makes them one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pysqlite3 import dbapi2 as sqlite3

from sandbox.servers import texts
from sandbox.servers.frappe_documents import WRITTEN_IN, Documents, stored
from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_returns import check_return

DOCTYPE = "Sales Invoice"
_WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "XAF", "XOF"})
_SERVER_OWNED = (
    "name", "creation", "owner", "docstatus", "status", "custom_posted_at", "net_total", "taxes",
    "total_taxes_and_charges", "grand_total", "outstanding_amount", "doctype",
)  # fmt: skip
_STEPS = {(0, 0), (0, 1), (1, 1), (1, 2)}
_STATUS = {0: "Draft", 1: "Unpaid", 2: "Cancelled"}
_USER = "integration@sandbox.invalid"
Invoice = dict[str, Any]


class Invoices:
    """Writes invoices beside the world's documents; they appear in every list from then on."""

    doctype, prefix = DOCTYPE, "SINV"
    server_owned: tuple[str, ...] = _SERVER_OWNED
    """Fields that whoever writes a document does not set."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.connection = documents.connection
        self.is_key_unique = True
        """Whether a second document under a key is refused, as the custom field says."""

    def create(self, given: Mapping[str, Any]) -> Invoice:
        """A new draft (submitted at once when ``docstatus`` is 1); the server names it and computes its totals."""
        utc, site = stored(self.documents.now())
        invoice = {
            "posting_date": site[:10],
            "posting_time": site[11:],
            **{key: value for key, value in given.items() if key not in self.server_owned},
            "doctype": self.doctype,
            "owner": _USER,
            "modified_by": _USER,
            "creation": site,
            "modified": site,
            "docstatus": 0,
            "custom_posted_at": None,
        }
        self._check(invoice)
        self._total(invoice)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self._check_key(invoice)
            invoice["name"] = self._name(invoice)
            self._number_lines(invoice)
            if int(given.get("docstatus") or 0) == 1:
                self._submit(invoice, site)
            self._write(invoice, utc)
        except (FrappeError, sqlite3.Error):
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")
        return invoice

    def change(self, name: str, given: Mapping[str, Any]) -> Invoice:
        """Change a draft, submit it (``docstatus`` 1) or cancel it (2); ``modified``, when given, is the current one."""
        invoice = self._load(name)
        if "modified" in given and str(given["modified"]) != str(invoice["modified"]):
            raise FrappeError(
                "TimestampMismatchError",
                f"Document has been modified after you have opened it ({given['modified']}, "
                f"{invoice['modified']}). Please refresh to get the latest document.",
            )
        was, wanted = int(invoice["docstatus"]), int(given.get("docstatus", invoice["docstatus"]))
        if (was, wanted) not in _STEPS:
            raise FrappeError("DocstatusTransitionError", f"Cannot change docstatus from {was} to {wanted}")
        changes = {key: value for key, value in given.items() if key not in (*self.server_owned, "modified")}
        if was == 1 and any(invoice.get(key) != value for key, value in changes.items()):
            raise FrappeError("UpdateAfterSubmitError", f"Not allowed to change {name} after submission")
        utc, site = stored(self.documents.now())
        if was == 0:
            invoice |= changes
            self._check(invoice)
            self._total(invoice)
            self._number_lines(invoice)
        invoice["modified"] = site
        if (was, wanted) == (0, 1):
            self._submit(invoice, site)
        elif wanted == 2:
            invoice |= {"docstatus": 2, "status": _STATUS[2], "outstanding_amount": 0}
        self._save(invoice, utc)
        return invoice

    def delete(self, name: str) -> None:
        """Remove a draft or a cancelled invoice; a submitted one stays."""
        if int(self._load(name)["docstatus"]) == 1:
            raise FrappeError("ValidationError", f"Submitted Record cannot be deleted: {name}")
        with_name = self.connection.execute(f"DELETE FROM {self._table} WHERE name = ?", (name,))
        if with_name.rowcount == 0:
            raise FrappeError("LinkExistsError", f"Cannot delete {name}: it is linked with other documents")

    def _load(self, name: str) -> Invoice:
        document = self.documents.find(self.doctype, name)
        if document is None:
            raise FrappeError("DoesNotExistError", f"{self.doctype} {name} not found")
        loaded: Invoice = json.loads(document.body, parse_float=Decimal)
        return loaded

    def _save(self, invoice: Invoice, utc: str) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            self._check_key(invoice)
            self._write(invoice, utc)
        except (FrappeError, sqlite3.Error):
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def _write(self, invoice: Invoice, utc: str) -> None:
        self.connection.execute(
            f"INSERT INTO {self._table}(name, waybill_key, modified, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET waybill_key = excluded.waybill_key,"
            " modified = excluded.modified, body = excluded.body",
            (invoice["name"], invoice.get("custom_waybill_key") or None, utc, dump(invoice)),
        )

    def _check_key(self, invoice: Invoice) -> None:
        key = invoice.get("custom_waybill_key")
        if not key or not self.is_key_unique:
            return
        row = self.connection.execute(
            f"SELECT name FROM {self._table} WHERE waybill_key = ? AND name IS NOT ?",
            (key, invoice.get("name")),
        ).fetchone()
        if row:
            raise FrappeError(
                "DuplicateEntryError", f"Duplicate entry {key} for custom_waybill_key: {row[0]}"
            )

    def _name(self, invoice: Invoice) -> str:
        """The next name of the year's series that no document has."""
        prefix = f"{self.prefix}-{str(invoice['posting_date'])[:4]}-"
        while True:
            last: int = self.connection.execute(
                "INSERT INTO erp_series(prefix, last) VALUES (?, 1)"
                " ON CONFLICT (prefix) DO UPDATE SET last = last + 1 RETURNING last",
                (prefix,),
            ).fetchone()[0]
            name = f"{prefix}{last:05d}"
            if self.documents.find(self.doctype, name) is None:
                return name

    def _check(self, invoice: Invoice) -> None:
        missing = [each for each in ("customer", "company", "items") if not invoice.get(each)]
        if missing:
            raise FrappeError("MandatoryError", f"[{self.doctype}]: {', '.join(missing)}")
        customer = self._link("Customer", invoice["customer"])
        company = self._link("Company", invoice["company"])
        for line in lines_of(invoice):
            self._link("Item", line.get("item_code"))
        if customer.get("disabled"):
            raise FrappeError("PartyDisabled", f"Customer {invoice['customer']} is disabled")
        if customer.get("is_frozen"):
            raise FrappeError("PartyFrozen", f"Customer {invoice['customer']} is frozen")
        invoice["currency"] = invoice.get("currency") or company.get("default_currency")
        frozen = company.get("accounts_frozen_till_date")
        if frozen and str(invoice["posting_date"]) <= str(frozen):
            raise FrappeError(
                "ValidationError", f"You are not authorized to add or update entries before {frozen}"
            )
        if invoice.get("is_return") and invoice.get("return_against"):
            check_return(invoice, self._link(DOCTYPE, invoice["return_against"]))

    @property
    def _table(self) -> str:
        return WRITTEN_IN[self.doctype]

    def _total(self, invoice: Invoice) -> None:
        _total(invoice, self._rate)

    def _number_lines(self, invoice: Invoice) -> None:
        for position, line in enumerate(lines_of(invoice), start=1):
            line |= {"name": line.get("name") or f"{invoice['name']}-{position}", "idx": position}

    def _submit(self, invoice: Invoice, site: str) -> None:
        _submit(invoice, site)

    def _link(self, doctype: str, name: object) -> Invoice:
        document = self.documents.find(doctype, str(name)) if name else None
        if document is None:
            raise FrappeError("LinkValidationError", f"Could not find {doctype}: {name}")
        return texts.parse(document.body)

    def _rate(self, line: Mapping[str, Any]) -> Decimal:
        """The line's tax rate in percent: its template's, or its own where it has no template."""
        template = line.get("item_tax_template")
        if template:
            taxes = self._link("Item Tax Template", template).get("taxes") or []
            return sum((decimal(texts.number(tax.get("tax_rate"))) for tax in taxes), Decimal(0))
        return decimal(line.get("custom_tax_rate") or 0)


def _total(invoice: Invoice, rate_of: Any) -> None:
    """Line amounts, tax per rate and totals, each rounded half up to the currency's decimals."""
    unit = Decimal(1) if invoice["currency"] in _WHOLE else Decimal("0.01")
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines_of(invoice):
        line |= {"qty": decimal(line.get("qty")), "rate": decimal(line.get("rate"))}
        line["amount"] = (line["qty"] * line["rate"]).quantize(unit, ROUND_HALF_UP)
        rate = rate_of(line)
        line["custom_tax_rate"] = rate
        by_rate[rate] = by_rate.get(rate, Decimal(0)) + line["amount"]
    taxes = {rate: (base * rate / 100).quantize(unit, ROUND_HALF_UP) for rate, base in by_rate.items()}
    net, tax = sum(by_rate.values(), Decimal(0)), sum(taxes.values(), Decimal(0))
    invoice |= {
        "net_total": net,
        "taxes": [{"idx": n, "rate": r, "tax_amount": taxes[r]} for n, r in enumerate(taxes, start=1)],
        "total_taxes_and_charges": tax,
        "grand_total": net + tax,
        "outstanding_amount": Decimal(0),
        "status": _STATUS[0],
    }


def _submit(invoice: Invoice, site: str) -> None:
    invoice |= {
        "docstatus": 1,
        "status": "Return" if invoice.get("is_return") else _STATUS[1],
        "custom_posted_at": site,
        "outstanding_amount": invoice["grand_total"],
    }


def lines_of(invoice: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = invoice["items"]
    if not isinstance(lines, list) or not all(isinstance(each, dict) for each in lines):
        raise FrappeError("ValidationError", "items is a list of rows")
    return lines


def decimal(value: object) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise FrappeError("ValidationError", f"{value!r} is not a number") from error
    if not found.is_finite():
        raise FrappeError("ValidationError", f"{value!r} is not a number")
    return found


def dump(invoice: object) -> str:
    """JSON with amounts as numbers."""
    return json.dumps(invoice, default=float, separators=(",", ":"))
