"""Tryton as its clerk uses it, over HTTP: orders made, invoices looked at, deleted and changed by hand."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import httpx

from core.tryton import decoded, encoded
from tests.support.tryton import ADMIN, ADMIN_PASSWORD

FIELDS = [
    "state",
    "number",
    "reference",
    "party",
    "currency.code",
    "invoice_date",
    "total_amount",
    "tax_amount",
]
FIELDS += ["lines.quantity", "lines.unit_price", "lines.origin", "description", "origin_invoices"]


class Clerk:
    """The administrator of one server; ``url`` names the database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(timeout=60)
        user, token, *_ = self._post("common.db.login", ADMIN, {"password": ADMIN_PASSWORD})
        words = base64.b64encode(f"{ADMIN}:{user}:{token}".encode()).decode()
        self._client.headers["Authorization"] = f"Session {words}"
        self._context = self._post("model.res.user.get_preferences", True, {})

    def call(self, method: str, *params: Any) -> Any:
        return self._post(f"model.{method}", *params, self._context)

    def rows(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call(
            f"{model}.search_read", domain, 0, None, [["id", "ASC"]], fields
        )
        return found

    def order(
        self,
        lines: Sequence[tuple[str, str, str]],
        *,
        customer: int = 1,
        day: date | None = None,
        po: str = "",
    ) -> dict[str, Any]:
        """A confirmed order of lines (product's code, quantity, price): its row with ``lines.``."""
        made = self.call("sale.sale.create", [self._sale(lines, customer, day, po)])
        for step in ("quote", "confirm", "process"):
            self.call(f"sale.sale.{step}", made)
        fields = ["number", "party", "currency.code", "lines.product", "lines.quantity", "lines.unit.symbol"]
        fields += ["lines.unit_price", "lines.amount", "lines.taxes.rate"]
        [row] = self.rows("sale.sale", [["id", "in", made]], fields)
        return row

    def _sale(
        self, lines: Sequence[tuple[str, str, str]], customer: int, day: date | None, po: str
    ) -> dict[str, Any]:
        party, address = self.parties[customer]
        told = []
        for code, quantity, price in lines:
            product, tax = self.products[code]
            told.append(
                {
                    "type": "line", "product": product, "quantity": float(quantity), "unit": self.unit,
                    "unit_price": encoded(Decimal(price)), "taxes": [["add", [tax]]],
                }
            )  # fmt: skip
        return {
            "party": party, "invoice_address": address, "shipment_address": address, "invoice_method": "manual",
            "shipment_method": "manual", "company": 1, "reference": po or None, "warehouse": self.warehouse,
            "currency": self.currency, "sale_date": encoded(day) if day else None, "lines": [["create", told]],
        }  # fmt: skip

    def invoices(self, key: str) -> list[dict[str, Any]]:
        """Every invoice that carries a key of Waybill's."""
        return self.rows("account.invoice", [["reference", "=", f"waybill:{key}"]], FIELDS)

    @cached_property
    def parties(self) -> dict[int, tuple[int, int]]:
        """Customer's number → its id and its address."""
        rows = self.rows("party.party", [["name", "like", "Customer %"]], ["name", "addresses"])
        return {int(row["name"].split()[1]): (row["id"], row["addresses"][0]) for row in rows}

    @cached_property
    def products(self) -> dict[str, tuple[int, int]]:
        """Product's code → its id and that of its tax."""
        taxes = {row["name"]: row["id"] for row in self.rows("account.tax", [], ["name"])}
        rate = {"PALLET": "VAT 19 %", "BOOK": "VAT 7 %"}
        rows = self.rows("product.product", [], ["code"])
        return {row["code"]: (row["id"], taxes[rate[row["code"]]]) for row in rows}

    @cached_property
    def unit(self) -> int:
        return self._one("product.uom", ["name", "=", "Unit"])

    @cached_property
    def currency(self) -> int:
        return self._one("currency.currency", ["code", "=", "EUR"])

    @cached_property
    def warehouse(self) -> int:
        return self._one("stock.location", ["type", "=", "warehouse"])

    @cached_property
    def revenue(self) -> int:
        """The account to which the products are sold."""
        category = "template.account_category.account_revenue"
        [row, *_] = self.rows("product.product", [], [category])
        return int(row["template."]["account_category."]["account_revenue"])

    def _one(self, model: str, clause: list[Any]) -> int:
        return int(self.rows(model, [clause], ["id"])[0]["id"])

    def _post(self, method: str, *params: Any) -> Any:
        body = {"id": 1, "method": method, "params": params}
        answer = self._client.post(f"{self.url}/rpc/", json=body).raise_for_status().json(parse_float=Decimal)
        assert "error" not in answer, answer["error"]
        return decoded(answer["result"])
