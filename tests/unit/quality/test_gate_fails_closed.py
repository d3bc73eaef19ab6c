"""What was not checked is not released: empty, missing, not a number, raising, unknown."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from candidate_rows import AS_OF, candidate, context
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.arrow import schema_of
from contracts.invoice import InvoiceCandidate
from quality import rules
from quality.context import Posted
from quality.gate import GateResult, evaluate
from quality.intake import IDENTITY
from quality.policy import load_policy
from quality.rule import Check, Rule
from quality.suites import invoice_candidates as suite

POLICY = load_policy()


def judge(rows: Any, **state: Any) -> GateResult:
    return evaluate(rows, context(**state), POLICY, "run_1", AS_OF)


@pytest.mark.parametrize("batch", [[], pa.Table.from_pylist([], schema=schema_of(InvoiceCandidate))])
def test_an_empty_batch_does_not_pass(batch: Any) -> None:
    result = judge(batch)
    assert (result.batch_fatal, result.passed, result.decisions) == ("EMPTY_BATCH", False, ())


def test_an_empty_suite_does_not_pass() -> None:
    result = evaluate([candidate()], context(), POLICY, "run_1", AS_OF, index=())
    assert (result.batch_fatal, result.passed, result.decisions) == ("EMPTY_SUITE", False, ())


def test_a_candidate_without_identity_stops_the_batch() -> None:
    assert judge([candidate(1), candidate(2, input_hash=None)]).batch_fatal == "IDENTITY_MISSING"


@pytest.mark.parametrize("column", ["grand_total_amount", "net_total_amount", "tax_total_amount"])
def test_an_amount_that_is_no_number_never_passes(column: str) -> None:
    unfit = [
        None,
        math.nan,
        math.inf,
        -math.inf,
        119.0,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        "119",
        True,
    ]
    rows = [candidate(number, **{column: value}) for number, value in enumerate(unfit)]
    decisions = judge([*rows, candidate(99)]).decisions
    assert [each.verdict for each in decisions] == ["blocked"] * len(unfit) + ["released"]
    assert all("TOTALS_INCONSISTENT" in each.codes for each in decisions[:-1])
    assert all("CHECK_NOT_RUN" in each.codes for each in decisions[1:-1]), "the unfit value is named"


NONE_SAYS_SOMETHING = {
    "pod_voided_at", "external_invoice_id", "possible_duplicate_invoice_id",  # it did not happen
    "pod_order_no", "handover_result_status", "pod_distance_m", "pod_received_at",  # the proof, or dispatch, does not say
    "delivered_at", "has_line_quantities", "pod_id", "order_no", "customer_id",  # told by another column, which no NULL passes
    "vat_id", "is_vat_id_valid", "billing_currency", "credit_limit_amount", "books_closed_until",  # nothing is agreed
    "fx_rate", "fx_rate_age_days", "allows_partial", "requires_po", "order_total_amount",  # asked of others than this candidate
}  # fmt: skip
"""Columns whose NULL is an answer for the clean candidate: in its own currency, complete, with a number of the customer's."""


def test_every_other_column_that_is_empty_blocks() -> None:
    names = [each.name for each in schema_of(InvoiceCandidate) if each.name not in IDENTITY]
    decisions = judge([candidate(number, **{name: None}) for number, name in enumerate(names)]).decisions
    released = {name for name, each in zip(names, decisions, strict=True) if each.verdict == "released"}
    assert released == NONE_SAYS_SOMETHING


def test_an_infinite_distance_is_not_a_near_one() -> None:
    near, far = judge([candidate(1), candidate(2, pod_distance_m=math.nan)]).decisions
    assert (near.verdict, far.codes) == ("released", ("CHECK_NOT_RUN",))


def test_a_time_without_a_zone_is_not_judged_as_one() -> None:
    naive = datetime(2026, 11, 13, 10, 0)
    (decision,) = judge([candidate(pod_captured_at=naive)]).decisions
    assert {"CHECK_NOT_RUN", "POD_BEFORE_DISPATCH"} <= set(decision.codes)


def test_a_missing_column_blocks_every_row_and_is_named() -> None:
    rows = [candidate(1), candidate(2)]
    for row in rows:
        del row["is_self_billed"]
    decisions = judge(rows).decisions
    assert all({"CHECK_NOT_RUN", "SELF_BILLED"} <= set(each.codes) for each in decisions)
    reasons = {reason["code"]: reason["seen"] for reason in decisions[0].reasons}
    assert "is_self_billed" in reasons["CHECK_NOT_RUN"]


def test_the_same_key_twice_blocks_both() -> None:
    (decision,) = judge([candidate(1), candidate(1)]).decisions
    assert decision.codes == ("CHECK_NOT_RUN",)


def test_a_check_that_raises_blocks_every_row() -> None:
    broken = Rule(
        "SELF_BILLED", "duplicate", "BLOCK", "team", "e", "r", "s", "x",
        (Check("between", ("payment_terms",), None, 0, 0),),
    )  # fmt: skip
    index = tuple(broken if each.code == broken.code else each for each in rules.RULES)
    result = evaluate([candidate(1), candidate(2)], context(), POLICY, "run_1", AS_OF, index=index)
    assert not result.passed
    assert {each.codes for each in result.decisions} == {("CHECK_NOT_RUN",)}
    assert "SELF_BILLED" in result.decisions[0].reasons[0]["seen"]


def test_a_check_that_gives_no_answer_blocks_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = suite.read_results
    monkeypatch.setattr(suite, "read_results", lambda result: whole(result)[:-1])
    result = judge([candidate()])
    assert not result.passed
    assert "CHECK_NOT_RUN" in result.decisions[0].codes


def test_an_order_we_do_not_know_is_one_reason_not_twenty() -> None:
    unknown = dict.fromkeys(
        ["order_status", "company_id", "customer_id", "erp_connection", "currency", "net_total_amount",
         "tax_total_amount", "grand_total_amount", "requires_signature", "requires_photo", "allows_partial",
         "billing_currency", "company_currency", "is_self_billed", "order_total_amount",
         "customer_is_active", "is_on_billing_hold", "bill_to_address", "payment_terms", "requires_po",
         "po_no"]
    ) | {"is_known_currency": False}  # fmt: skip
    letters = {"O2": frozenset({"VERSION_CONFLICT"})}
    rows = [candidate(1, **unknown), candidate(2, **unknown)]
    one, two = judge(rows, order_letters=letters).decisions
    assert (one.codes, two.codes) == (("CONTRACT_BROKEN",), ("MASTER_DATA_CONFLICT",))


def test_what_is_posted_and_unchanged_stays_released() -> None:
    posted = {("b-1", 1): Posted("ACKED", candidate(1)["content_hash"], frozenset({"S1|L1|goods"}))}
    row = candidate(1, is_on_billing_hold=True, customer_open_amount=Decimal(60_000))
    (decision,) = judge([row], outbox=posted).decisions
    assert (decision.verdict, decision.codes, decision.warnings) == ("released", (), ("CREDIT_LIMIT",))
    (decision,) = judge([row]).decisions
    assert decision.codes == ("CUSTOMER_BILLING_HOLD",)


def test_the_same_snapshot_gives_the_same_decision() -> None:
    rows = [candidate(1), candidate(2, is_self_billed=True), candidate(3, pod_distance_m=5000.0)]
    first, again = judge(rows), judge(pa.Table.from_pylist(rows, schema=schema_of(InvoiceCandidate)))
    assert first.decisions == again.decisions
    assert all(each.is_first_evaluation for each in first.decisions)
    before = {(each.business_id, each.revision): each for each in first.decisions}
    later = judge(rows, previous=before).decisions
    assert not any(each.is_first_evaluation for each in later)
    assert [each.decision_id for each in later] == [each.decision_id for each in first.decisions]


ROWS = [
    candidate(number, **changes)
    for number, changes in enumerate(
        [
            {},
            {"is_self_billed": True},
            {"po_no": None},
            {"grand_total_amount": None},
            {"has_open_damage": True},
        ]
    )
]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.permutations(range(len(ROWS))))
def test_the_order_of_rows_changes_no_verdict(order: list[int]) -> None:
    told = {
        each.business_id: (each.verdict, each.codes) for each in judge([ROWS[n] for n in order]).decisions
    }
    assert told == {
        "b-0": ("released", ()),
        "b-1": ("blocked", ("SELF_BILLED",)),
        "b-2": ("blocked", ("PO_REFERENCE_REQUIRED",)),
        "b-3": ("blocked", ("TOTALS_INCONSISTENT", "ZERO_OR_NEGATIVE_TOTAL", "VALUE_OVER_LIMIT")),
        "b-4": ("blocked", ("OPEN_DAMAGE_OR_SHORTAGE",)),
    }


def test_five_hundred_candidates_are_told_apart() -> None:
    rows = [candidate(number, is_self_billed=number % 10 == 0) for number in range(500)]
    result = judge(rows)
    assert (len(result.decisions), result.released) == (500, 450)
    assert result.blocked_by_code == {"SELF_BILLED": 50}
    by_code = {each.code: each for each in result.rule_results}
    assert (by_code["SELF_BILLED"].evaluated, by_code["SELF_BILLED"].failed) == (500, 50)
