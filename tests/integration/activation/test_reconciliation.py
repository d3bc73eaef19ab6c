"""Every acknowledged invoice is in the ERP as it was acknowledged, and nothing else under a key of ours: on a real one."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from activation.destinations.base import UncertainError
from activation.destinations.erp_frappe import FrappeDestination
from activation.push import push
from activation.reconcile import Reconciliation, reconcile
from core.clock import utc_now
from core.connections import Connection
from core.errors import PermanentFailure
from state import decisions, differences, ledger, outbox
from tests.integration.activation.conftest import NOW, Erp, decision_of

Rows = list[dict[str, Any]]


@pytest.fixture(autouse=True)
def empty(erp: Erp) -> None:
    """No invoice of another test, whose state store is gone."""
    erp.empty()


@pytest.fixture
def posted(engine: Engine, connection: Connection, released: Rows) -> list[dict[str, Any]]:
    """Three invoices, posted and acknowledged."""
    assert push(engine, [connection], released).posted == 3
    return released


def keys(engine: Engine) -> list[str]:
    return [row.idempotency_key for row in outbox.rows(engine)]


def name_of(erp: Erp, key: str) -> str:
    return str(erp.invoices(key)[0]["name"])


def states(engine: Engine) -> Counter[str]:
    return Counter(row.state for row in outbox.rows(engine))


def events(engine: Engine) -> Counter[str]:
    with engine.connect() as db:
        return Counter(row.event for row in db.execute(ledger.ledger.select()))


def once(engine: Engine, connection: Connection) -> Reconciliation:
    (done,) = reconcile(engine, [connection])
    return done


def one_more(engine: Engine, rows: Rows) -> Rows:
    """A released row that is not posted yet, billing the same order again as another shipment."""
    row = {**rows[0], "business_id": f"{rows[0]['business_id']}-more", "decision_id": "decision-more"}
    row["lines_json"] = row["lines_json"].replace("|goods|", "|more|")
    decisions.record(engine, [decision_of(row)])
    return [row]


def test_what_is_equal_becomes_reconciled(engine: Engine, connection: Connection, posted: Rows) -> None:
    done = once(engine, connection)
    assert (done.reconciled, done.differences, done.open) == (3, [], [])
    (line,) = done.lines.values()
    assert (line.released, line.acknowledged, line.in_erp) == (3, 3, 3)
    total = sum(row["grand_total_amount"] for row in posted)
    assert (line.released_amount, line.acknowledged_amount, line.in_erp_amount) == (total, total, total)
    assert set(done.lines) == {(str(NOW.date()), "WBDE", "EUR")}
    assert states(engine) == {"RECONCILED": 3}
    assert (events(engine)["reconciled"], events(engine)["reconciliation"]) == (3, 1)
    again = once(engine, connection)
    assert (again.reconciled, again.open) == (0, [])
    assert push(engine, [connection], [*posted, *one_more(engine, posted)]).posted == 1


def test_being_reconciled_moves_no_message_to_another_day(
    engine: Engine, connection: Connection, posted: Rows
) -> None:
    assert posted
    before = [row.updated_at for row in outbox.rows(engine)]
    assert once(engine, connection).reconciled == 3
    assert [row.updated_at for row in outbox.rows(engine)] == before


def test_an_invoice_that_is_missing_stops_the_next_batch(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    lost = keys(engine)[0]
    erp.remove(name_of(erp, lost))
    done = once(engine, connection)
    (difference,) = done.open
    assert (difference.kind, difference.idempotency_key) == ("missing", lost)
    assert difference.detail == "acknowledged and now not there"
    assert difference.acknowledged_amount == posted[0]["grand_total_amount"]
    assert states(engine) == {"RECONCILED": 2, "CONFLICT": 1}
    (line,) = done.lines.values()
    assert (line.acknowledged, line.in_erp) == (3, 2)
    before = erp.mutating()
    stopped = push(engine, [connection], one_more(engine, posted))
    assert (stopped.posted, stopped.failed) == (0, 1)
    assert "nothing is sent" in stopped.errors[0]
    assert "waybill reconcile" in stopped.errors[0]
    assert erp.mutating() == before


@pytest.mark.parametrize("remains", ["cancelled", "draft"])
def test_an_acknowledged_invoice_that_has_no_effect_any_more_is_missing(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows, remains: str
) -> None:
    assert posted
    key = keys(engine)[1]
    document = erp.whole(name_of(erp, key))
    erp.cancel(document["name"])
    if remains == "draft":
        erp.delete(document["name"])
        erp.make(document, docstatus=0)
    (difference,) = once(engine, connection).open
    assert (difference.kind, difference.detail) == ("missing", f"acknowledged and now {remains}")


def test_an_invoice_that_nobody_acknowledged_is_extra(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    document = erp.whole(name_of(erp, keys(engine)[0]))
    made = erp.make({**document, "custom_waybill_key": "f" * 64})
    done = once(engine, connection)
    (difference,) = done.open
    assert (difference.kind, difference.erp_id) == ("extra", made["name"])
    assert difference.found_amount == posted[0]["grand_total_amount"]
    assert "does not know" in difference.detail
    assert states(engine) == {"RECONCILED": 3}
    assert push(engine, [connection], one_more(engine, posted)).posted == 0


def test_an_invoice_over_another_amount_is_different(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    key = keys(engine)[2]
    document = erp.whole(name_of(erp, key))
    erp.remove(document["name"])
    document["items"][0]["qty"] = str(Decimal(str(document["items"][0]["qty"])) + 1)
    made = erp.make(document)
    (difference,) = once(engine, connection).open
    assert difference.kind == "different"
    assert difference.acknowledged_amount == posted[2]["grand_total_amount"]
    assert difference.found_amount == Decimal(str(made["grand_total"]))
    assert "grand total: acknowledged" in difference.detail
    assert states(engine) == {"RECONCILED": 2, "CONFLICT": 1}


def test_drafts_cancelled_and_hand_made_invoices_are_no_difference(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    assert posted
    document = erp.whole(name_of(erp, keys(engine)[0]))
    by_hand = erp.make({**document, "custom_waybill_key": None})
    erp.make({**document, "custom_waybill_key": "a" * 64}, docstatus=0)
    cancelled = erp.make({**document, "custom_waybill_key": "b" * 64})
    erp.cancel(cancelled["name"])
    done = once(engine, connection)
    assert (done.reconciled, done.differences) == (3, [])
    erp.remove(by_hand["name"])


def test_what_is_still_under_way_is_counted_and_no_difference(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activation.push.PATIENCE_S", 0.1)
    erp.plant(kind="status", status=503, retry_after=600, times=1, method="POST", path="Sales Invoice$")
    assert push(engine, [connection], released).failed == 1
    erp.heal()
    done = once(engine, connection)
    (line,) = done.lines.values()
    assert (line.released, line.acknowledged, line.in_erp, done.open) == (3, 2, 2, [])
    assert states(engine) == {"RECONCILED": 2, "RETRY_WAIT": 1}


def test_a_later_reconciliation_that_finds_it_equal_lets_the_push_go_on(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    document = erp.whole(name_of(erp, keys(engine)[0]))
    made = erp.make({**document, "custom_waybill_key": "f" * 64})
    assert once(engine, connection).open != []
    erp.remove(made["name"])
    assert once(engine, connection).open == []
    assert (events(engine)["difference_found"], events(engine)["difference_gone"]) == (1, 1)
    assert push(engine, [connection], one_more(engine, posted)).posted == 1
    # It comes back, and stops the push again.
    erp.make({**document, "custom_waybill_key": "e" * 64})
    assert len(once(engine, connection).open) == 1


def test_a_row_that_differed_and_is_equal_again_is_reconciled(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert posted
    with monkeypatch.context() as patch:
        # An ERP that shows fewer documents than it has, as one whose index is being built.
        patch.setattr(FrappeDestination, "list_keyed", lambda _, __: iter(()))
        patch.setattr(FrappeDestination, "look_up", lambda _, __: [])
        assert len(once(engine, connection).open) == 3
    assert states(engine) == {"CONFLICT": 3}
    done = once(engine, connection)
    assert (done.reconciled, done.open) == (3, [])
    assert states(engine) == {"RECONCILED": 3}


def test_what_a_person_settled_stays_settled_until_it_changes(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    erp.remove(name_of(erp, keys(engine)[0]))
    (difference,) = once(engine, connection).open
    with pytest.raises(PermanentFailure, match="0 open differences"):
        differences.settle(engine, "no-such-id", "controller-2", "none", utc_now())
    differences.settle(engine, difference.difference_id[:12], "controller-2", "billed by hand", utc_now())
    assert events(engine)["difference_settled"] == 1
    done = once(engine, connection)
    assert (len(done.differences), done.open) == (1, [])
    assert push(engine, [connection], one_more(engine, posted)).posted == 1
    # Another difference of the same invoice is not what was accepted.
    erp.make(
        {
            **erp.whole(name_of(erp, keys(engine)[1])),
            "custom_waybill_key": difference.idempotency_key,
        }
    )
    assert [each.kind for each in once(engine, connection).open] == ["different"]


def test_an_erp_that_does_not_answer_leaves_everything_as_it_was(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows
) -> None:
    assert posted
    erp.plant(kind="status", status=500, times=1, method="GET", path="Sales Invoice$")
    with pytest.raises(UncertainError):
        reconcile(engine, [connection])
    assert states(engine) == {"ACKED": 3}
    assert events(engine)["reconciliation"] == 0


def test_more_than_a_page_is_listed_whole(
    erp: Erp, engine: Engine, connection: Connection, posted: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert posted
    monkeypatch.setattr("activation.destinations.erp_frappe._PAGE", 2)
    # Nothing that a page left out is made good by asking for it again.
    monkeypatch.setattr(FrappeDestination, "look_up", lambda _, __: [])
    done = once(engine, connection)
    assert sum(line.in_erp for line in done.lines.values()) == 3
    assert done.open == []
