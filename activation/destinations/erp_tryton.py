"""Tryton as a destination: draft by ``create``, effect by ``post``, read back by ``search_read``.

The reference of a customer invoice carries the idempotency key after ``waybill:``. As shipped no reference is unique;
where the module or the index of docs/tryton.md makes these unique, the connection declares ``enforces_uniqueness``.
What a document says in Tryton's words is ``tryton_document``, calls and what their ending proves are ``tryton_rpc``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from threading import Lock
from typing import Any, Literal

from activation.destinations.base import (
    NotAppliedError,
    PostedInvoice,
    PostedLine,
    RefusedError,
    UncertainError,
    differences,
)
from activation.destinations.tryton_document import PREFIX, Known, record_id, values_of
from activation.destinations.tryton_rpc import TrytonRpc
from contracts.invoice import CreditNoteDocument, InvoiceDocument
from contracts.outbound import OutboundDocument
from core.connections import Connection
from core.errors import ConfigurationError
from core.flows import BY_OPERATION, INVOICE
from core.tryton import encoded

MODEL = "model.account.invoice"
_PAGE = 200
_STATUS: dict[str, Literal["draft", "posted", "cancelled"]] = {
    "draft": "draft",
    "validated": "draft",
    "posted": "posted",
    "paid": "posted",
    "cancelled": "cancelled",
}
_FIELDS = (
    *("state", "reference", "company", "party", "currency.code", "invoice_date", "move.create_date"),
    *("untaxed_amount", "tax_amount", "total_amount", "origin_invoices"),
    *("lines.type", "lines.product", "lines.quantity", "lines.unit_price", "lines.amount", "lines.taxes"),
)
Domain = list[list[Any]]


class TrytonDestination:
    """One Tryton database. Safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._name = connection.connection
        for operation in connection.destination.operations if connection.destination else ():
            self.of(operation)
        if connection.destination is not None and not connection.destination.two_step:
            raise ConfigurationError(
                f"{self._name}: Tryton creates a draft and posts it, which are two steps.",
                remedy="Leave `two_step: false` out of its `destination:`.",
            )
        self._rpc = TrytonRpc(connection)
        self._known: dict[tuple[str, str], int] = {}
        self._knowing = Lock()

    def of(self, operation: str) -> TrytonDestination:
        if operation in BY_OPERATION and operation != INVOICE.operation:
            raise ConfigurationError(
                f"{self._name}: Waybill writes no {BY_OPERATION[operation].noun}s into Tryton.",
                remedy=f"Take `{operation}` out of `operations:` of its `destination:`.",
            )
        return self

    def look_up(self, idempotency_key: str) -> list[PostedInvoice]:
        return self._found([["reference", "=", PREFIX + idempotency_key]], None)

    def look_up_all(self, idempotency_keys: Sequence[str]) -> dict[str, list[PostedInvoice]]:
        found: dict[str, list[PostedInvoice]] = {key: [] for key in idempotency_keys}
        for each in self._found([["reference", "in", [PREFIX + key for key in idempotency_keys]]], None):
            found.setdefault(each.idempotency_key, []).append(each)
        return found

    def list_keyed(self, since: date | None) -> Iterator[PostedInvoice]:
        wanted: Domain = [["reference", "like", PREFIX + "%"]]
        wanted += [["invoice_date", ">=", encoded(since)]] if since else []
        last = 0
        while True:
            page = self._found([*wanted, ["id", ">", last]], _PAGE)
            yield from page
            if len(page) < _PAGE:
                return
            last = int(page[-1].erp_id)

    def create(self, document: OutboundDocument) -> str:
        """RefusedError also when Tryton makes another invoice of it: then nobody posts it."""
        assert isinstance(document, InvoiceDocument)
        company = record_id(document.company_id, "company")
        values = values_of(document, self._what_tryton_knows(document, company))
        made = self._rpc.change(f"{MODEL}.create", [values], company=company)
        if not (isinstance(made, list) and len(made) == 1 and isinstance(made[0], int)):
            raise self._rpc.unreadable()
        try:
            draft = self.read_back(str(made[0]))
        except NotAppliedError as error:
            # The reading was not done. The draft is there.
            raise UncertainError(error.message, remedy=error.remedy) from error
        if wrong := differences(document, draft):
            raise RefusedError(
                f"{self._name} made another invoice of {document.shipment_no}: {'; '.join(wrong)}.",
                remedy="Compare product, unit, price and taxes in Tryton with the order; delete the draft.",
            )
        return str(made[0])

    def post(self, erp_id: str, document: OutboundDocument) -> None:
        assert isinstance(document, InvoiceDocument)
        invoice = self.read_back(erp_id)
        if invoice.status == "posted":
            return
        company = record_id(invoice.company_id, "company")
        self._rpc.change(f"{MODEL}.post", [int(erp_id)], company=company)

    def read_back(self, erp_id: str) -> PostedInvoice:
        found = self._found([["id", "=", record_id(erp_id, "invoice")]], None)
        if len(found) != 1:
            raise self._rpc.unreadable()
        return found[0]

    def read_back_all(self, erp_ids: Sequence[str]) -> dict[str, PostedInvoice]:
        wanted = [record_id(each, "invoice") for each in erp_ids]
        return {each.erp_id: each for each in self._found([["id", "in", wanted]], None)}

    def close(self) -> None:
        self._rpc.close()

    def _found(self, domain: Domain, limit: int | None) -> list[PostedInvoice]:
        order = [["id", "ASC"]]
        wanted = [["type", "=", "out"], *domain]
        rows = self._rpc.read(f"{MODEL}.search_read", wanted, 0, limit, order, list(_FIELDS))
        try:
            return [_invoice(each) for each in rows]
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise self._rpc.unreadable() from error

    def _what_tryton_knows(self, document: InvoiceDocument, company: int) -> Known:
        party = record_id(document.customer_id, "customer")
        start = {"type": "out", "company": company, "party": party}
        defaults = self._rpc.read(f"{MODEL}.on_change", start, ["type", "party"])
        if not isinstance(defaults, dict):
            raise self._rpc.unreadable()
        taxes = {record_id(line.tax_code, "tax") for line in document.lines if line.tax_code}
        return Known(
            defaults=defaults,
            currency=self._one("currency.currency", "code", document.currency),
            units={line.uom: self._one("product.uom", "symbol", line.uom) for line in document.lines},
            taxes={each["id"]: each for each in self._taxes(sorted(taxes))},
            credited=self._credited(document),
        )

    def _one(self, model: str, field: str, value: str) -> int:
        """The id of the only record with this value; ids do not change, so each is asked for once."""
        with self._knowing:
            if (field, value) not in self._known:
                rows = self._rpc.read(f"model.{model}.search_read", [[field, "=", value]], 0, 2, None, ["id"])
                if len(rows) != 1:
                    raise RefusedError(
                        f"{self._name} has {len(rows)} records {model} with {field} {value!r}.",
                        remedy="Make it one in Tryton: the document names it so.",
                    )
                self._known[field, value] = int(rows[0]["id"])
            return self._known[field, value]

    def _taxes(self, ids: list[int]) -> list[Mapping[str, Any]]:
        fields = ["invoice_account", "credit_note_account", "description"]
        found: list[Mapping[str, Any]] = self._rpc.read("model.account.tax.read", ids, fields)
        return found

    def _credited(self, document: InvoiceDocument) -> list[int]:
        """Line ids of the invoice that a credit note reverses, in their order."""
        if not isinstance(document, CreditNoteDocument):
            return []
        erp_id = record_id(document.credited_erp_id, "invoice")
        wanted = [["invoice", "=", erp_id], ["type", "=", "line"]]
        order = [["sequence", "ASC"], ["id", "ASC"]]
        rows = self._rpc.read("model.account.invoice.line.search_read", wanted, 0, None, order, ["id"])
        if len(rows) != len(document.lines):
            raise RefusedError(
                f"{self._name}: invoice {erp_id} has {len(rows)} lines, its credit note {len(document.lines)}.",
                remedy="Credit it by hand in Tryton: somebody changed the invoice.",
            )
        return [int(each["id"]) for each in rows]


def _invoice(row: Mapping[str, Any]) -> PostedInvoice:
    status = _STATUS[row["state"]]
    # The entry in the books is made in the transaction that posts.
    posted_at = row["move."]["create_date"] if row["move."] and status == "posted" else None
    reference = str(row["reference"] or "")
    return PostedInvoice(
        erp_id=str(row["id"]),
        status=status,
        idempotency_key=reference.removeprefix(PREFIX) if reference.startswith(PREFIX) else "",
        company_id=str(row["company"]),
        customer_id=str(row["party"]),
        currency=str(row["currency."]["code"]),
        net_total_amount=_amount(row["untaxed_amount"]),
        tax_total_amount=_amount(row["tax_amount"]),
        grand_total_amount=_amount(row["total_amount"]),
        issue_date=row["invoice_date"],
        posted_at=posted_at,
        credited_erp_id=",".join(map(str, sorted(row["origin_invoices"]))) or None,
        lines=tuple(_line(each) for each in row["lines."] if each["type"] == "line"),
    )


def _line(row: Mapping[str, Any]) -> PostedLine:
    return PostedLine(
        item_id=str(row["product"]),
        quantity=Decimal(row["quantity"]),
        net_price=row["unit_price"],
        net_amount=row["amount"],
        tax_code=",".join(map(str, sorted(row["taxes"]))) or None,
    )


def _amount(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
