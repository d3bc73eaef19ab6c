"""What the pages do when there is nothing, something new, or something wrong."""

from __future__ import annotations

from pathlib import Path

import duckdb
from loopback import get, served
from published_world import decide, kpi, publish

from core.settings import Settings
from dashboard.words import rate


def test_before_the_first_run_the_page_says_how_to_start(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with served(settings) as site:
        page = get(site)
        assert (page.status_code, "waybill run" in page.text) == (200, True)
        assert get(f"{site}/blocked").status_code == 200
        assert "No credit note waits" in get(f"{site}/waiting").text
    assert not settings.state.exists(), "reading a page creates no store"


def test_a_new_serving_copy_shows_at_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    publish(settings, [kpi("otif_rate", value=0.5)])
    decide(settings)
    with served(settings) as site:
        assert rate(0.5) in get(site).text
        publish(settings, [kpi("otif_rate", value=0.75)])
        page = get(site).text
    assert rate(0.75) in page
    assert "No request and no credit note waits for an approval, and no refused row for a decision" in page
    assert "No day has 5 posted invoices yet" in page


def test_every_answer_forbids_what_the_page_does_not_need(site: str) -> None:
    for path in ("/", "/blocked/POD_MISSING", "/nothing", "/static/style.css"):
        headers = get(site + path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"


def test_an_unknown_page_is_told_so(site: str) -> None:
    for path in ("/blocked/<script>", "/metric/<script>", "/metric/in_full_rate"):
        page = get(f"{site}{path}")
        assert (page.status_code, "<script>" in page.text) == (404, False)


def test_a_serving_copy_that_does_not_open_is_told_with_a_remedy(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.serving.parent.mkdir(parents=True)
    settings.serving.write_bytes(b"not a database")
    with served(settings) as site:
        page = get(site)
    assert (page.status_code, "does not open" in page.text) == (503, True)


def test_a_serving_copy_without_the_metrics_is_told_with_a_remedy(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    settings.serving.parent.mkdir(parents=True)
    duckdb.connect(str(settings.serving)).close()
    with served(settings) as site:
        page = get(site)
    assert (page.status_code, "waybill run" in page.text) == (503, True)
