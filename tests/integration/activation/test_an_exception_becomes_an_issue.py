"""Exception alerts against the sandbox's ERP: one issue an exception, whose status follows it, and no invoice that waits for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from activation.destinations.erp_frappe import FrappeDestination
from activation.destinations.opening import open_destination
from activation.document import document_of, effect_of
from activation.dry_run import dry_run
from activation.push import Pusher, push
from activation.reconcile import reconcile
from activation.result import PushResult
from core.connections import Connection, load_connections
from core.errors import ConfigurationError
from core.ids import sha256_hex
from core.settings import ROOT
from state import decisions, ledger, outbox
from state.shipment_trace import steps_of
from tests.integration.activation.conftest import NOW, Erp, decision_of
from tests.simulation.erp import Clock

Rows = list[dict[str, Any]]
CREATE = {"method": "POST", "path": "Issue$"}
CHANGE = {"method": "PUT", "path": "Issue/"}
READ_BACK = {"method": "GET", "path": "Issue/"}
SETTLE_S = 30.0


@pytest.fixture
def connection(erp: Erp) -> Connection:
    """The sandbox's ERP as one that takes invoices and alerts, so that no confirmation is in their way."""
    assert erp
    found = load_connections(ROOT / "connections" / "sandbox")
    return declared(next(each for each in found if each.connection == "sandbox_erp"))


def declared(connection: Connection, **changes: Any) -> Connection:
    assert connection.destination is not None
    changes = {"operations": ("invoice", "exception_alert")} | changes
    return connection.model_copy(update={"destination": connection.destination.model_copy(update=changes)})


@pytest.fixture
def raised(released: Rows, engine: Engine) -> dict[str, Any]:
    """An exception of the first order's shipment, as it was raised, with the decision that releases it."""
    return stands(engine, released[0], 1, "open")


def stands(engine: Engine, invoice: dict[str, Any], revision: int, state: str) -> dict[str, Any]:
    """How it stands after so many changes, released by the gate."""
    kept = ("company_id", "destination", "customer_id", "order_no", "shipment_no")
    name = f"X-{invoice['business_id']}"
    row = {name: invoice[name] for name in kept} | {
        "operation": "exception_alert", "business_id": name, "revision": revision,
        "decision_id": sha256_hex(f"{name}-{revision}".encode()), "content_hash": f"{revision:064x}", "input_hash": f"{revision:064x}",
        "exception_id": name, "exception_code": "TRAFFIC", "exception_severity": "critical",
        "exception_cause": "business", "exception_state": state, "opened_at": NOW, "opening_date": NOW.date(),
    }  # fmt: skip
    decisions.record(
        engine,
        [decision_of(row | {"grand_total_amount": None, "currency": None}, operation="exception_alert")],
    )
    return row


def issues(erp: Erp, row: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = [["custom_exception", "=", row["exception_id"]]]
    return erp.get("Issue", filters=json.dumps(wanted), fields='["*"]', limit_page_length="0")


def change(erp: Erp, row: dict[str, Any], **fields: Any) -> None:
    """Somebody at customer service changes the issue."""
    (issue,) = issues(erp, row)
    headers = {"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}
    httpx.put(
        f"{erp.url}/api/resource/Issue/{issue['name']}", json=fields, headers=headers
    ).raise_for_status()


def states(engine: Engine, operation: str = "exception_alert") -> list[str]:
    return [each.state for each in outbox.rows(engine) if each.operation == operation]


def test_an_exception_is_one_issue_whose_status_follows_it(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    assert push(engine, [connection], [raised]).of("exception_alert").posted == 1
    (issue,) = issues(erp, raised)
    assert (issue["status"], issue["customer"], issue["company"]) == ("Open", raised["customer_id"], "WBDE")
    assert (issue["priority"], issue["docstatus"]) == ("High", 0)
    for revision, (state, status) in enumerate(
        [("paused", "On Hold"), ("open", "Open"), ("resolved", "Resolved"), ("open", "Open")], start=2
    ):
        row = stands(engine, released[0], revision, state)
        (intent,) = dry_run(engine, [connection], [row])
        assert (intent.action, intent.found) == ("update", (f"{issue['name']} ({was(issues(erp, row))})",))
        result = push(engine, [connection], [row])
        assert (result.others["exception_alert"].posted, result.errors) == (1, [])
        assert [(each["name"], each["status"]) for each in issues(erp, row)] == [(issue["name"], status)]
    before = erp.mutating()
    assert push(engine, [connection], [row]).of("exception_alert").already_posted == 1
    assert [each.action for each in dry_run(engine, [connection], [row])] == ["skip"]
    assert erp.mutating() == before
    assert (states(engine), ledger.verify(engine).first_bad) == (["ACKED"] * 5, None)
    told = [each.what for each in steps_of(engine, raised["shipment_no"])]
    assert told.count("exception_alert read back equal") == 5


def was(found: list[dict[str, Any]]) -> str:
    return {"Open": "open", "On Hold": "paused", "Resolved": "resolved"}[found[0]["status"]]


def test_one_that_is_over_before_it_was_told_is_an_issue_that_asks_nobody_to_act(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    row = stands(engine, released[0], 2, "resolved")
    assert push(engine, [connection], [row]).of("exception_alert").posted == 1
    assert [each["status"] for each in issues(erp, row)] == ["Resolved"]


def test_what_was_raised_and_resolved_while_the_erp_was_away_arrives_in_its_order(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    row = stands(engine, released[0], 2, "resolved")
    assert push(engine, [connection], [row, raised]).of("exception_alert").posted == 2
    assert [each["status"] for each in issues(erp, row)] == ["Resolved"]


def test_what_people_made_of_an_issue_is_left_where_it_says_no_less(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    push(engine, [connection], [raised])
    change(erp, raised, status="Closed", priority="Low")
    before = erp.mutating()
    row = stands(engine, released[0], 2, "resolved")
    assert push(engine, [connection], [row]).of("exception_alert").posted == 1
    assert erp.mutating() == before, "it is closed: there is nothing to resolve"
    row = stands(engine, released[0], 3, "open")
    assert push(engine, [connection], [row]).of("exception_alert").posted == 1
    assert [(each["status"], each["priority"]) for each in issues(erp, row)] == [("Open", "Low")]


@pytest.mark.parametrize("where", [CREATE, CHANGE, READ_BACK], ids=["create", "change", "read"])
@pytest.mark.parametrize("kind", ["drop_reply", "apply_then_500", "reset"])
def test_whatever_answer_is_lost_it_is_one_issue(
    erp: Erp,
    engine: Engine,
    connection: Connection,
    released: Rows,
    raised: dict[str, Any],
    kind: str,
    where: dict[str, Any],
) -> None:
    """The ERP refuses no second issue under a key here: only our own looking does."""
    erp.keep_keys_unique(unique=False, doctype="Issue")
    clock, system = Clock(NOW), declared(connection, enforces_uniqueness=False, settle_s=SETTLE_S)
    destination = FrappeDestination(system)
    pusher = Pusher(engine, system, destination, PushResult(), now=clock)
    erp.plant(kind=kind, times=1, **where)
    try:
        for row, status in ((raised, "Open"), (stands(engine, released[0], 2, "resolved"), "Resolved")):
            pusher.enqueue([row])
            for _ in range(20):
                pusher.recover()
                pusher.promote()
                pusher.send_due()
                clock.pass_s(SETTLE_S)
            assert [each["status"] for each in issues(erp, row)] == [status]
    finally:
        destination.close()
    assert states(engine) == ["ACKED", "ACKED"]


def test_a_change_that_arrives_late_undoes_no_later_one(
    erp: Erp, connection: Connection, destination: FrappeDestination, engine: Engine, released: Rows
) -> None:
    """It was read before somebody, or a later revision, changed the issue; the near miss is a change that was not."""
    paused = document_of(stands(engine, released[0], 2, "paused"))
    row = stands(engine, released[0], 1, "open")
    erp_id = destination.create(document_of(row))
    read = issues(erp, row)[0]["modified"]
    change(erp, row, status="Resolved", modified=read)
    with pytest.raises(httpx.HTTPStatusError, match="417"):
        change(erp, row, status="On Hold", modified=read)
    assert [each["status"] for each in issues(erp, row)] == ["Resolved"]
    destination.post(erp_id, paused)
    assert [each["status"] for each in issues(erp, row)] == ["On Hold"]


def test_a_list_that_does_not_show_the_issue_makes_no_second_one(
    erp: Erp,
    engine: Engine,
    connection: Connection,
    released: Rows,
    raised: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    erp.keep_keys_unique(unique=False, doctype="Issue")
    system = declared(connection, enforces_uniqueness=False, settle_s=SETTLE_S)
    push(engine, [system], [raised])
    row = stands(engine, released[0], 2, "resolved")
    with monkeypatch.context() as patch:
        patch.setattr(FrappeDestination, "look_up", lambda *_: [])
        push(engine, [system], [row], patience_s=0.0)
    assert (states(engine), len(issues(erp, row))) == (["ACKED", "UNKNOWN"], 1)
    push(engine, [system], [row], patience_s=5.0)
    assert (states(engine), [each["status"] for each in issues(erp, row)]) == (
        ["ACKED", "ACKED"],
        ["Resolved"],
    )


def test_an_alert_that_the_erp_refuses_holds_neither_an_invoice_nor_another_alert(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    nobody = {**raised, "customer_id": "nobody of this name"}
    later, other = stands(engine, released[0], 2, "resolved"), stands(engine, released[1], 1, "open")
    result = push(engine, [connection], [nobody, later, other, *released])
    # First revisions are enqueued first.
    assert states(engine) == ["DEAD", "ACKED", "READY"]
    assert (result.posted, states(engine, "invoice")) == (3, ["ACKED"] * 3)
    assert (result.others["exception_alert"].failed, result.others["exception_alert"].held) == (1, 1)
    assert issues(erp, raised) == []
    (why,) = [each for each in result.errors if "READY" in each]
    assert "waits for the exception_alert of" in why and "which is DEAD" in why


def test_an_erp_whose_issues_are_in_trouble_gets_its_invoices(
    erp: Erp, engine: Engine, connection: Connection, released: Rows
) -> None:
    many = [
        stands(engine, released[0] | {"business_id": f"{released[0]['business_id']}-{number}"}, 1, "open")
        for number in range(40)
    ]
    erp.plant(kind="status", status=500, times=10_000, path="Issue$", method="POST")
    push(engine, [connection], many, patience_s=0.0)
    assert set(states(engine)) <= {"UNKNOWN", "RETRY_WAIT", "READY"}
    result = push(engine, [connection], released, patience_s=0.0)
    assert (result.posted, states(engine, "invoice")) == (3, ["ACKED"] * 3)


def test_a_reconciliation_leaves_issues_to_those_who_work_on_them(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    push(engine, [connection], [raised, *released])
    change(erp, raised, status="Replied", customer=released[1]["customer_id"])
    (result,) = reconcile(engine, [connection])
    assert "Issue" not in str(result.differences) and issues(erp, raised)[0]["name"] not in str(
        result.differences
    )
    assert (result.reconciled, states(engine), states(engine, "invoice")) == (
        3,
        ["ACKED"],
        ["RECONCILED"] * 3,
    )


def test_an_erp_that_takes_no_alerts_gets_none(
    erp: Erp, engine: Engine, connection: Connection, released: Rows, raised: dict[str, Any]
) -> None:
    result = push(engine, [declared(connection, operations=("invoice",))], [raised, *released])
    assert (result.posted, result.others, issues(erp, raised)) == (3, {}, [])


def test_a_system_that_knows_no_alerts_refuses_the_setting(connection: Connection) -> None:
    with pytest.raises(ConfigurationError, match="no exception alerts into Tryton") as refused:
        open_destination(declared(connection).model_copy(update={"adapter": "tryton"}))
    assert "Take `exception_alert` out of `operations:`" in refused.value.remedy


@pytest.fixture
def destination(connection: Connection) -> Iterator[FrappeDestination]:
    found = FrappeDestination(connection)
    yield found.of("exception_alert")
    found.close()


def test_every_revision_is_of_one_document_and_of_an_effect_of_its_own(
    engine: Engine, released: Rows, raised: dict[str, Any], destination: FrappeDestination
) -> None:
    later = stands(engine, released[0], 2, "resolved")
    first, second = (document_of(row) for row in (raised, later))
    assert first.idempotency_key == second.idempotency_key
    keys = [effect_of(row, document_of(row)).idempotency_key for row in (raised, later)]
    assert keys[0] == first.idempotency_key != keys[1]
    erp_id = destination.create(first)
    destination.post(erp_id, second)
    (found,) = destination.look_up(first.idempotency_key)
    assert (found.erp_id, found.posted_at is not None) == (erp_id, True)
    assert destination.read_back(erp_id) == found
    assert found.posted_at is not None and found.issue_date == NOW.date()
    assert abs(found.posted_at - NOW) < timedelta(days=30)
