"""The rules of credit notes: for each code one note that trips exactly it and the nearest one that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.invoice import CreditNoteDocument, InvoiceDocument
from core.errors import ConfigurationError
from core.ids import canonical_json
from state import credit_gate, credit_rules
from state.credit_gate import judge, load_policy, ruleset_version
from state.credit_rules import RULES, Facts, Finding
from state.shipped_rules import SHIPPED
from tests.support.credit_documents import ERP_ID, KEY, invoice, line, note

APPROVED = ruleset_version()


def document(sent: InvoiceDocument) -> str:
    return sent.canonical_bytes().decode()


def inputs(sent: CreditNoteDocument | None = None, **changes: Any) -> bytes:
    told: dict[str, Any] = {
        "note": document(sent or note()), "invoice_key": KEY, "invoice": document(invoice()), "invoice_state": "ACKED",
        "receipt_erp_id": ERP_ID, "earlier": [],
    }  # fmt: skip
    return canonical_json(told | changes)


def codes(judged: bytes, approved: str = APPROVED) -> tuple[str, ...]:
    return judge(judged, approved).codes


def part(quantity: str, net: str, tax: str, **changes: Any) -> CreditNoteDocument:
    """A note over a part of the first line."""
    amounts = {
        "net_total_amount": -Decimal(net), "tax_total_amount": -Decimal(tax),
        "grand_total_amount": -(Decimal(net) + Decimal(tax)),
    }  # fmt: skip
    return note(lines=(line(1, f"-{quantity}", f"-{net}"),), **(amounts | changes))


def changed(number: int = 0, **changes: Any) -> CreditNoteDocument:
    """The whole note with one of its lines changed."""
    lines = list(note().lines)
    lines[number] = lines[number].model_copy(update=changes)
    return note(lines=tuple(lines))


ODD = invoice(
    net_total_amount=Decimal("10.00"), tax_total_amount=Decimal("1.90"), grand_total_amount=Decimal("11.90"),
    lines=(line(1, "3", "10.00"),),
)  # fmt: skip
"""Of three that cannot be credited one by one in equal parts."""
THIRDS = [document(part("1", "3.33", "0.63")), document(part("1", "3.33", "0.63"))]
OF_ODD = {"invoice": document(ODD), "earlier": THIRDS}
CASES: dict[str, list[tuple[bytes, bytes]]] = {
    "PRECEDING_INVOICE_MISSING": [
        (inputs(invoice=None, invoice_state=None, receipt_erp_id=None), inputs()),
        (inputs(invoice_state="CONFLICT"), inputs(invoice_state="RECONCILED")),
        (inputs(invoice_state="UNKNOWN"), inputs(invoice_state="ACKED")),
        (inputs(receipt_erp_id=None), inputs(receipt_erp_id=ERP_ID)),
        (inputs(receipt_erp_id="SINV-2"), inputs(note(credited_erp_id="SINV-2"), receipt_erp_id="SINV-2")),
        (inputs(note(credited_key="k" * 64)), inputs(note(credited_key=KEY))),
        (inputs(note(customer_id="C-2")), inputs(note(po_no="PO-2"))),
        (inputs(note(company_id="WBAT")), inputs(note(payment_terms="30 days"))),
        (inputs(note(shipment_no="S-2")), inputs(note(pod_id="POD-2"))),
    ],
    "CREDIT_EXCEEDS_INVOICE": [
        (inputs(changed(quantity=Decimal("-2.001"))), inputs(changed(quantity=Decimal("-2.000")))),
        (inputs(changed(net_amount=Decimal("-20.01"))), inputs(changed(net_amount=Decimal("-20.00")))),
        (inputs(changed(quantity=Decimal(2))), inputs(part("1", "10.00", "1.90"))),
        (inputs(note(grand_total_amount=Decimal("-35.71"))), inputs(note(grand_total_amount=Decimal("-35.70")))),
        (inputs(note(tax_total_amount=Decimal("-5.71"))), inputs(note(tax_total_amount=Decimal("-5.70")))),
        (inputs(changed(line_id="L9")), inputs(part("2", "20.00", "3.80"))),
        (inputs(note(lines=(*note().lines, note().lines[0]))), inputs(note(lines=note().lines))),
        (inputs(earlier=[document(part("0.5", "5.00", "0.95"))]), inputs(part("1.5", "15.00", "2.85"), earlier=[document(part("0.5", "5.00", "0.95"))])),
        # Three thirds of 10.00: the last note takes the residual cent, 3.34 and 0.64, neither more nor less.
        (inputs(part("1", "3.33", "0.63"), **OF_ODD), inputs(part("1", "3.34", "0.64"), **OF_ODD)),
        (inputs(part("1", "3.35", "0.64"), **OF_ODD), inputs(part("0.5", "3.33", "0.63"), **OF_ODD)),
    ],
    "REASON_MISSING": [
        (inputs(note(reason="")), inputs(note(reason="x"))),
        (inputs(note(reason=" \t - ")), inputs(note(reason="преис"))),
    ],
    "TAX_OR_CURRENCY_DIFFERS": [
        (inputs(note(currency="CHF")), inputs(note(currency="EUR"))),
        (inputs(changed(tax_code="DE7")), inputs(changed(tax_code="DE19"))),
        (inputs(changed(tax_rate_percent=Decimal(7))), inputs(changed(tax_rate_percent=Decimal("19.0")))),
        (inputs(changed(1, tax_code=None)), inputs(changed(1, income_account="4400"))),
    ],
    "CHECK_NOT_RUN": [
        (inputs(note=None), inputs()),
        (inputs(invoice='{"currency": "EUR"}'), inputs()),
        (inputs(note=document(note()).replace('"-35.70"', '"NaN"')), inputs()),
        (inputs(note=document(note()).replace('"-35.70"', '"-Infinity"')), inputs()),
        (inputs(note=document(note()).replace('"-35.70"', "null")), inputs()),
        (b"not even JSON", inputs()),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "trips", "passes"),
    [(code, *pair) for code, pairs in CASES.items() for pair in pairs],
)
def test_each_code_is_tripped_by_its_case_alone_and_by_no_near_miss(
    code: str, trips: bytes, passes: bytes
) -> None:
    verdict = judge(trips, APPROVED)
    assert (verdict.verdict, verdict.codes) == ("blocked", (code,))
    (reason,) = verdict.reasons
    assert all(reason[name].strip() for name in ("seen", "expected", "remedy", "owner", "disposition"))
    assert judge(passes, APPROVED) == credit_gate.Verdict("released", (), [])


def test_rules_that_nobody_approved_release_nothing() -> None:
    assert codes(inputs(), approved="0" * 64) == ("RULESET_UNAPPROVED",)
    assert codes(inputs(), approved=APPROVED) == ()


def test_the_cases_cover_the_index_and_the_shipped_rules_are_approved() -> None:
    assert {*CASES, "RULESET_UNAPPROVED"} == credit_rules.BY_CODE.keys() == {rule.code for rule in RULES}
    assert SHIPPED["credit_notes"] == APPROVED, (
        "Rules of credit notes changed: review, then put the version on the right into state/shipped_rules.py."
    )


def test_a_blocked_note_shows_every_reason_at_once() -> None:
    wrong = note(reason=" ", currency="CHF", grand_total_amount=Decimal("-99.00"), credited_erp_id="SINV-9")
    assert codes(inputs(wrong), approved="0" * 64) == (
        "PRECEDING_INVOICE_MISSING", "CREDIT_EXCEEDS_INVOICE", "REASON_MISSING", "TAX_OR_CURRENCY_DIFFERS",
        "RULESET_UNAPPROVED",
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["note", "invoice", "invoice_state", "receipt_erp_id", "earlier", "invoice_key"]
)
def test_a_missing_input_is_no_pass(name: str) -> None:
    told = json.loads(inputs())
    del told[name]
    assert codes(canonical_json(told)) == ("CHECK_NOT_RUN",)


def test_a_rule_that_raises_is_unknown_or_is_left_out_is_no_pass() -> None:
    def fails(_: Facts) -> Finding | None:
        raise ZeroDivisionError

    for index, seen in {
        (replace(RULES[0], check=fails), *RULES[1:]): "PRECEDING_INVOICE_MISSING: ZeroDivisionError",
        (
            *RULES,
            replace(RULES[0], code="CREDIT_LOOKS_ODD", check=lambda _: None),
        ): "'CREDIT_LOOKS_ODD' is not a code",
        RULES[1:]: "nobody asked PRECEDING_INVOICE_MISSING",
        (): "nobody asked CHECK_NOT_RUN",
    }.items():
        verdict = judge(inputs(), APPROVED, index)
        assert (verdict.verdict, verdict.codes) == ("blocked", ("CHECK_NOT_RUN",))
        assert seen in verdict.reasons[0]["seen"]


@pytest.mark.parametrize(
    "text",
    [
        "policy_version: ''\n",
        f"policy_version: x\napproval: {{ruleset_version: {APPROVED}, role: finance, approved_on: 2026-11-29}}\n",
        "policy_version: x\ndispositions: {REASON_MISSING: WARN}\n",
    ],
)
def test_a_policy_that_says_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    policy = tmp_path / "credit_policy.yaml"
    policy.write_text(text)
    with pytest.raises(ConfigurationError, match=r"credit_policy\.yaml"):
        load_policy(policy)


def test_a_change_of_a_rule_is_another_ruleset(tmp_path: Path) -> None:
    for name in credit_gate.JUDGING:
        (tmp_path / name).write_bytes((credit_gate.ROOT / "state" / name).read_bytes())
    assert ruleset_version(tmp_path) == APPROVED
    credit_gate._content.cache_clear()
    with (tmp_path / "credit_rules.py").open("a") as rules:
        rules.write("# anything\n")
    assert ruleset_version(tmp_path) != APPROVED
