"""People retry, look up, cancel, credit and bill again in the worlds of ``test_many_worlds``; what is wrong then is found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.simulation.erp import Document, SimulatedErp
from tests.simulation.promises import Broken, after_a_step, in_the_end
from tests.simulation.test_many_worlds import a_store, template
from tests.simulation.world import Simulation

__all__ = ["template"]
SEEDS = 120
WITH_PEOPLE = 6
"""A seed of a world with people, and without confirmations."""
HAPPENS = {
    "DEAD → READY", "DEAD → CANCELLED", "CANCELLED → BLOCKED", "billed again", "billed by another company", "credit granted",
    "credit rejected", "billed in a next revision", "draft removed", "confirm refused by PermanentFailure",
    "answer refused by PermanentFailure",
}  # fmt: skip


def test_whatever_people_may_do_is_done(template: Path) -> None:
    did: Counter[str] = Counter()
    for seed in range(SEEDS):
        if seed % 8 > 5:
            with a_store(template) as engine:
                played = Simulation(seed, engine)
                played.run()
                did += played.people.did
    assert HAPPENS - set(did) == set()


@pytest.fixture
def played(template: Path) -> Iterator[Simulation]:
    """A world at its end, in which an invoice stands."""
    with a_store(template) as engine:
        world = Simulation(WITH_PEOPLE, engine)
        world.run()
        after_a_step(world, 0)
        in_the_end(world)
        assert world.erp.live()
        yield world


def plant(
    erp: SimulatedErp, like: Document, key: str, amount: int = 1, credits_id: str | None = None
) -> None:
    """A posted document more."""
    invoice = replace(
        like.invoice, erp_id=f"planted-{len(erp.documents)}", idempotency_key=key, credited_erp_id=credits_id,
        grand_total_amount=like.invoice.grand_total_amount * amount,
    )  # fmt: skip
    erp.documents[invoice.erp_id] = replace(like, invoice=invoice)


def standing(world: Simulation) -> Document:
    key = min(world.erp.live())
    return next(each for each in world.erp.by_key[key] if each.invoice.status == "posted")


def test_two_live_invoices_of_a_shipment_are_found_whatever_their_keys(played: Simulation) -> None:
    found = standing(played)
    played.row_of_key["other"] = played.row_of_key[found.invoice.idempotency_key]
    plant(played.erp, found, "other")
    with pytest.raises(Broken, match="2 live invoices of"):
        after_a_step(played, 0)


def test_two_documents_under_a_key_are_found(played: Simulation) -> None:
    found = standing(played)
    plant(played.erp, found, found.invoice.idempotency_key)
    with pytest.raises(Broken, match="2 posted invoices under"):
        after_a_step(played, 0)


@pytest.mark.parametrize(("times", "is_right"), [(1, True), (2, False)])
def test_a_credit_note_over_more_than_was_billed_is_found(
    played: Simulation, times: int, is_right: bool
) -> None:
    found = standing(played)
    assert found.invoice.grand_total_amount == Decimal("119.00")
    plant(played.erp, found, "note", -times, found.invoice.erp_id)
    if is_right:
        after_a_step(played, 0)
        return
    with pytest.raises(Broken, match=r"238.00 of 119.00 credited"):
        after_a_step(played, 0)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda world, key: world.people.cancelled.add(key), "was cancelled and sent"),
        (lambda world, key: world.taken_back.update({key: {}}), "was taken back and sent"),
        (lambda world, key: world.goes_first.update({key: "never"}), "before its confirmation"),
        (lambda world, key: world.follows.update({key: key}), "before the credit note"),
    ],
)
def test_what_was_sent_and_should_not_have_been_is_found(
    played: Simulation, wrong: Callable[[Simulation, str], None], why: str
) -> None:
    key = standing(played).invoice.idempotency_key
    played.erp.asked_for = [key]
    for each in (played.people.cancelled, played.taken_back, played.goes_first, played.follows):
        each.clear()
    after_a_step(played, 0)
    wrong(played, key)
    played.erp.asked_for = [key]
    with pytest.raises(Broken, match=why):
        after_a_step(played, 0)


def test_an_invoice_that_one_of_the_books_does_not_have_is_found(played: Simulation) -> None:
    found = standing(played)
    plant(played.erp, found, "note", -1, found.invoice.erp_id)
    with pytest.raises(Broken, match="stands in one of the books alone"):
        in_the_end(played)
