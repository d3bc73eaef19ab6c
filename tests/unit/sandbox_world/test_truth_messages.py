"""The truth about messages: what is due, what fails for good and why, what waits, and what is no message."""

from __future__ import annotations

from typing import Any

from sandbox.world.truth_messages import messages


def letter(reason: str, source_id: str | None = "A", resource: str = "orders") -> dict[str, Any]:
    return {"connection": "sandbox_erp", "resource": resource, "source_id": source_id, "reason": reason}


def of_erp(*letters: dict[str, Any], loaded: int = 0, waiting: int = 0, posted: int = 0) -> dict[str, int]:
    sources = {"sandbox_erp.orders": {"loaded": loaded}, "sandbox_erp.order_lines": {"loaded": 900}}
    return messages(sources, list(letters), [letter("UNKNOWN_PARENT")] * waiting, posted, 0, 0)["sandbox_erp"]


def test_what_is_loaded_and_what_is_posted_is_due_and_no_line_is() -> None:
    found = of_erp(letter("FIELD_INVALID", resource="order_lines"), loaded=3, posted=2)
    assert (found["due"], found["tries"], found["failed_tries"]) == (5, 5, 0)


def test_a_document_refused_twice_fails_once_and_two_without_a_name_fail_twice() -> None:
    twice = of_erp(letter("VERSION_CONFLICT"), letter("VERSION_CONFLICT"))
    assert (twice["due"], twice["business"], twice["technical"], twice["failed_tries"]) == (1, 1, 0, 2)
    nameless = of_erp(letter("FIELD_MISSING", None), letter("FIELD_MISSING", None))
    assert (nameless["due"], nameless["technical"]) == (2, 2)


def test_what_waits_is_not_due_yet() -> None:
    found = of_erp(waiting=1)
    assert (found["due"], found["waiting"], found["failed_tries"]) == (0, 1, 1)
