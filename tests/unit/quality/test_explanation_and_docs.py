"""What people read: the explanation of a decision, and Data Docs that fetch nothing."""

from __future__ import annotations

import re
from pathlib import Path

from candidate_rows import AS_OF, RULES, candidate, context

from quality.data_docs import KEPT_PAGES, offline, write_page
from quality.explain import explain
from quality.gate import evaluate
from quality.policy import load_policy


def test_an_explanation_tells_every_reason_and_what_to_do(tmp_path: Path) -> None:
    rows = [candidate(1, po_no=None, pod_distance_m=2500.0), candidate(2)]
    result = evaluate(rows, context(), load_policy(), "run_1", AS_OF)
    blocked, released = (explain(each) for each in result.decisions)
    assert "Shipment S1, order O1: BLOCKED" in blocked
    assert "PO_REFERENCE_REQUIRED (blocks)" in blocked
    assert "POD_GEO_MISMATCH (warns only)" in blocked
    assert "2500 m from the place of delivery" in blocked
    assert "Ask the customer for the number" in blocked
    assert "RELEASED" in released
    assert "Every rule passed." in released
    assert f"Rules approved by: {RULES.told}" in released

    page = write_page(tmp_path, result.result, "run_1")
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img)\b[^>]*https?://", text)
    assert "default-src 'none'" in text
    assert "invoice_candidates/run_1.html" in (tmp_path / "index.html").read_text(encoding="utf-8")
    for number in range(KEPT_PAGES):
        write_page(tmp_path, result.result, f"run_{number}")
    assert len(list(page.parent.glob("*.html"))) == KEPT_PAGES


def test_only_what_is_remote_is_taken_out() -> None:
    page = (
        '<head></head><script src="https://x/y.js"></script><img src="data:image/png;base64,AA=="><b>kept</b>'
    )
    assert "https://x" not in offline(page)
    assert '<img src="data:' in offline(page)
    assert "<b>kept</b>" in offline(page)
