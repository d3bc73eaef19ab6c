"""Frappe's refusals: the classes it raises and the JSON in which it tells them.

Belongs here: error shapes. Who raises which is the business of the routes and of the invoices.
"""

from __future__ import annotations

import json

_STATUS = {
    "AuthenticationError": 401,
    "PermissionError": 403,
    "DoesNotExistError": 404,
    "DuplicateEntryError": 409,
}


class FrappeError(Exception):
    """A refusal named like Frappe's own exception class; anything but a few named ones answers 417."""

    def __init__(self, exc_type: str, message: str) -> None:
        super().__init__(message)
        self.exc_type = exc_type
        self.status = _STATUS.get(exc_type, 417)

    def body(self) -> str:
        """The answer's JSON: ``exc_type``, ``exception``, ``exc`` and ``_server_messages`` as Frappe nests them."""
        exception = f"frappe.exceptions.{self.exc_type}: {self}"
        shown = json.dumps({"message": str(self), "title": "Message", "indicator": "red"})
        return json.dumps(
            {
                "exception": exception,
                "exc_type": self.exc_type,
                "exc": json.dumps([f"Traceback (most recent call last):\n{exception}\n"]),
                "_server_messages": json.dumps([shown]),
            }
        )
