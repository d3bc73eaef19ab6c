"""The pages as somebody sees them in Chromium: numbers equal to the marts, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from undecided import OTHER_RULES

from core.settings import Settings
from core.warehouse import open_serving
from dashboard.words import duration, money, rate
from state import decisions
from state.engine import open_state

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = "/usr/bin/chromium"
PATHS = [
    "/",
    "/waiting",
    "/blocked",
    "/blocked/POD_MISSING",
    "/blocked/NOT_A_CODE",
    "/metric/pod_to_invoice_s",
]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "Install Debian's chromium: scripts/ has the one that CI calls."
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_the_cards_show_what_the_marts_hold(tab: Page, site: str, world: Settings) -> None:
    tab.goto(site)
    with open_serving(world) as serving:
        rows = serving.execute(
            "SELECT metric, arg_min(coalesce(p50, value), (dimension <> 'made_by')), "
            "arg_min(n, (dimension <> 'made_by')) FROM marts.kpi_values WHERE grain = 'all' AND "
            "(dimension = 'all' OR dimension_value = 'waybill') AND currency IS NULL "
            "AND variant NOT IN ('requested', 'order') GROUP BY metric"
        ).fetchall()
    assert len(rows) == tab.locator(".card").count() == 9
    for metric, value, count in rows:
        card = tab.locator(f'[data-metric="{metric}"] .value')
        shown = duration(value) if metric.endswith("_s") else rate(value)
        assert card.inner_text().startswith(shown), metric
        assert card.get_attribute("data-n") == str(count), metric
    assert "13 Nov 2026, 17:00 UTC" in tab.locator(".asof").inner_text()


def test_the_unbilled_amounts_are_those_of_the_marts(tab: Page, site: str, world: Settings) -> None:
    tab.goto(site)
    with open_serving(world) as serving:
        rows = serving.execute(
            "SELECT currency, value FROM marts.kpi_values "
            "WHERE metric = 'unbilled_delivered_amount' AND dimension = 'all'"
        ).fetchall()
    assert {currency for currency, _ in rows} == {"EUR", "JPY"}
    for currency, value in rows:
        row = tab.locator(f'tr[data-currency="{currency}"]')
        assert row.locator(".total").inner_text() == money(value, currency)


def test_a_reason_drills_down_to_its_invoices(tab: Page, site: str, world: Settings) -> None:
    engine = open_state(world)
    held = [each for each in decisions.latest(engine).values() if "PRICE_MISMATCH" in each.codes]
    engine.dispose()
    tab.goto(site)
    tab.get_by_role("link", name="PRICE_MISMATCH").click()
    tab.wait_for_url("**/blocked/PRICE_MISMATCH")
    rows = tab.locator("tbody tr")
    assert rows.count() == len(held) == 5
    assert {row.locator("th").inner_text() for row in rows.all()} == {each.shipment_no for each in held}
    assert "1,250.00 EUR" in rows.first.inner_text()
    assert "seen 10 <b>" in tab.locator("tbody").inner_text(), "what sources say is text, never markup"
    assert tab.locator("tbody b").count() == 0


def test_what_waits_for_a_person_is_told_with_the_command_that_decides(tab: Page, site: str) -> None:
    tab.goto(site)
    told = tab.locator("section[aria-labelledby=waiting]").inner_text()
    assert "2 credit notes wait: -1,278.50 EUR" in told
    assert "2 requests wait for a second person: kill switch, rules" in told
    held = [row.inner_text().split() for row in tab.locator("tr[data-draft]").all()]
    assert [words[0] for words in held] == ["CON-00101", "CON-00102"]
    assert all("finance-controlling" in words for words in held)
    assert "15 rows were refused and wait for a decision" in told
    tab.get_by_role("link", name="To decide").first.click()
    tab.wait_for_url("**/waiting")
    notes = tab.locator("tr[data-note]")
    assert [row.get_attribute("data-note") for row in notes.all()] == ["CON-00101", "CON-00102"]
    assert "the price was <b>wrong</b>" in notes.nth(1).inner_text()
    assert (
        "waybill outbox approve-credit SHIPMENT" in tab.locator("section[aria-labelledby=notes]").inner_text()
    )
    groups = [
        (row.get_attribute("data-reason"), row.locator(".number").inner_text())
        for row in tab.locator("tr[data-reason]").all()
    ]
    assert groups == [("CURRENCY_INVALID", "12"), ("TIME_IN_FUTURE", "3")]
    letters = tab.locator("section[aria-labelledby=newest]")
    assert letters.locator("tbody tr").count() == 15
    assert "found '<i>EURO0</i>'" in letters.inner_text()
    assert "payload" not in tab.content(), "what came is shown by the command alone"
    assert tab.locator("form, button, input").count() == 0


def test_a_change_of_the_rules_waits_with_its_content_and_the_command_of_the_other(
    tab: Page, site: str
) -> None:
    tab.goto(f"{site}/waiting")
    assert "2 requests, 2 credit notes, 15 refused rows" in tab.locator(".asof").inner_text()
    requests = tab.locator("tr[data-asked]")
    assert [row.get_attribute("data-asked") for row in requests.all()] == ["kill switch", "rules"]
    told = requests.nth(1).inner_text()
    assert "policy 2026-12.1" in told and "rule X: new, WARN" in told and "limits.EUR: none → 75000" in told
    assert "agreed with <b>sales</b>" in told, "what people say is text, never markup"
    assert requests.nth(1).locator("code").inner_text() == (
        f"waybill gate approve-rules {OTHER_RULES.version[:12]}"
    )


def test_a_number_drills_down_to_its_rows(tab: Page, site: str) -> None:
    tab.goto(site)
    tab.get_by_role("link", name="POD to invoice").click()
    tab.wait_for_url("**/metric/pod_to_invoice_s")
    counts = [
        (row.get_attribute("data-standing"), *(cell.inner_text() for cell in row.locator("td").all()))
        for row in tab.locator("tr[data-standing]").all()
    ]
    assert counts[:2] == [("in", "waybill", "–", "5"), ("in", "hand", "–", "1")]
    assert set(counts[2:]) == {("open", "–", "not ended", "1"), ("out", "–", "no proof of delivery", "1")}
    rows = tab.locator("section[aria-labelledby=rows] tbody tr")
    assert [row.locator("th").inner_text() for row in rows.all()][:2] == ["CON-00007", "CON-00004"]
    assert duration(34.0) in rows.nth(1).inner_text()
    tab.goto(f"{site}/metric/otif_rate")
    assert tab.locator("section[aria-labelledby=rows] tbody tr").count() == 1, "the headline variant only"


@pytest.mark.parametrize("path", PATHS)
def test_no_request_leaves_the_machine_and_the_policy_is_kept(tab: Page, site: str, path: str) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(site + path)
    assert {urlsplit(url).hostname for url in asked} == {"127.0.0.1"}
    assert not [text for text in complaints if "Content Security Policy" in text]
    assert tab.locator("script").count() == 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible(chromium: Browser, site: str, path: str, scheme: str) -> None:
    # axe runs as a script of ours inside the page, which the page's own policy would refuse.
    context = chromium.new_context(color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True)
    page = context.new_page()
    page.goto(site + path)
    for details in page.locator("details").all():
        details.locator("summary").click()
    result = Axe().run(page)
    context.close()
    assert result.violations_count == 0, result.generate_report()


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_is_wider_than_the_screen(chromium: Browser, site: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    for path in PATHS:
        page.goto(site + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
