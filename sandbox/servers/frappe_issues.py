"""Issues written into the ERP: no draft and no totals, a status that anybody may change.

Belongs here: what differs from an invoice. Keys and names are those of every document that is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.servers.frappe_documents import stored
from sandbox.servers.frappe_errors import FrappeError
from sandbox.servers.frappe_invoices import Invoice, Invoices

DOCTYPE = "Issue"
_STATUS = ("Open", "Replied", "On Hold", "Resolved", "Closed")
_PRIORITY = ("Low", "Medium", "High")


class Issues(Invoices):
    """Writes issues; the world has none."""

    doctype, prefix = DOCTYPE, "ISS"
    server_owned = ("name", "creation", "owner", "docstatus", "doctype")

    def create(self, given: Mapping[str, Any]) -> Invoice:
        """A new issue, named by the server; open unless its status says otherwise."""
        if int(given.get("docstatus") or 0):
            raise FrappeError("DocstatusTransitionError", "An Issue cannot be submitted")
        site = stored(self.documents.now())[1]
        opened = {
            "opening_date": site[:10],
            "opening_time": site[11:],
            "status": "Open",
            "priority": "Medium",
        }
        return super().create({**opened, **given, "posting_date": given.get("opening_date") or site[:10]})

    def change(self, name: str, given: Mapping[str, Any]) -> Invoice:
        """Change whatever is given; ``modified``, when given, is the current one."""
        if int(given.get("docstatus") or 0):
            raise FrappeError("DocstatusTransitionError", "An Issue cannot be submitted")
        return super().change(name, given)

    def _check(self, invoice: Invoice) -> None:
        if not invoice.get("subject"):
            raise FrappeError("MandatoryError", f"[{self.doctype}]: subject")
        for doctype, field in (("Customer", "customer"), ("Company", "company")):
            if invoice.get(field):
                self._link(doctype, invoice[field])
        for field, allowed in (("status", _STATUS), ("priority", _PRIORITY)):
            if invoice[field] not in allowed:
                raise FrappeError(
                    "ValidationError", f"{field} cannot be {invoice[field]}: {', '.join(allowed)}"
                )

    def _total(self, invoice: Invoice) -> None:
        """There is nothing to add up."""

    def _number_lines(self, invoice: Invoice) -> None:
        """There are no lines."""
